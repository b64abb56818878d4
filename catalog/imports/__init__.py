"""Reading what a merchant sends to be imported: tables and archives, hostile until shown otherwise. No database."""
