"""Forms of dates and numbers by language; Django reads them through FORMAT_MODULE_PATH."""
