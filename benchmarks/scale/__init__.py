"""The same accounts read by one process, by Sail and by JVM Spark: how fast, and with how much memory."""
