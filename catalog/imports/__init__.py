"""Reading what a merchant sends to be imported: tables and archives, both hostile until shown otherwise. No database."""
