"""Changes by somebody who can write to a backup."""

STEAL = """
CREATE TRIGGER steal AFTER UPDATE ON {} BEGIN
    UPDATE accounts_user SET is_superuser = 1;
END
"""
# Statements, and the reason for which `restore` refuses the result.
TAMPERED = {
    "a unique index is missing": (
        ["DROP INDEX accounts_user_email_unique_without_case"],
        "Its schema is not that of this version: the index accounts_user_email_unique_without_case on accounts_user is "
        "missing.",
    ),
    "an index is another": (
        [
            "DROP INDEX accounts_user_email_unique_without_case",
            "CREATE INDEX accounts_user_email_unique_without_case ON accounts_user (email)",
        ],
        "Its schema is not that of this version: the index accounts_user_email_unique_without_case on accounts_user is "
        "another.",
    ),
    "a trigger on the tokens": (
        [STEAL.format("developers_apitoken")],
        "It holds what no version of this project has: trigger steal.",
    ),
    "a trigger on the migrations": (
        ["CREATE TRIGGER steal AFTER INSERT ON django_migrations BEGIN DELETE FROM accounts_user; END"],
        "It holds what no version of this project has: trigger steal.",
    ),
    "a view in the place of a table": (
        [
            "PRAGMA legacy_alter_table = ON",
            "ALTER TABLE accounts_securityevent RENAME TO events",
            "CREATE VIEW accounts_securityevent AS SELECT * FROM events",
        ],
        "It holds what no version of this project has: view accounts_securityevent.",
    ),
    "a virtual table": (
        ["CREATE VIRTUAL TABLE notes USING fts5(text)"],
        "It holds what no version of this project has: table notes.",
    ),
    "a table more": (
        ["CREATE TABLE notes (text)"],
        "Its schema is not that of this version: the table notes is none of this version.",
    ),
    "an index more": (
        ["CREATE INDEX more ON accounts_user (name)"],
        "Its schema is not that of this version: the index more on accounts_user is none of this version.",
    ),
    "a table is missing": (
        ["DROP TABLE accounts_securityevent"],
        "Its schema is not that of this version: the table accounts_securityevent is missing; the index ",
    ),
    "the table of the tokens is missing": (
        ["DROP TABLE developers_apitoken"],
        "Its schema is not that of this version: the table developers_apitoken is missing.",
    ),
    "the table of the migrations is missing": (
        ["DROP TABLE django_migrations"],
        "It is not a database of this project.",
    ),
    "a table without what makes its rows unique": (
        [
            "CREATE TABLE copy AS SELECT * FROM developers_apitoken",
            "DROP TABLE developers_apitoken",
            "ALTER TABLE copy RENAME TO developers_apitoken",
        ],
        "Its schema is not that of this version: the table developers_apitoken is another.",
    ),
    "a column more": (
        ["ALTER TABLE accounts_user ADD COLUMN nick TEXT"],
        "Its schema is not that of this version: the table accounts_user is another.",
    ),
    "a column is missing": (
        ["ALTER TABLE developers_apitoken DROP COLUMN binding"],
        "Its schema is not that of this version: the table developers_apitoken is another.",
    ),
    "a digest need not be unique": (
        [
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL UNIQUE', ' NOT NULL')"
            " WHERE name = 'developers_apitoken'",
            "DELETE FROM sqlite_master WHERE name LIKE 'sqlite_autoindex_developers_apitoken%'",
        ],
        "SQLite finds it damaged: ",
    ),
    "a constraint is missing": (
        [
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_master SET sql = replace(sql, '\"generation\" >= 1', '\"generation\" >= 0')"
            " WHERE name = 'developers_apitoken'",
        ],
        "Its schema is not that of this version: the table developers_apitoken is another.",
    ),
    "a migration is not noted": (
        ["DELETE FROM django_migrations WHERE app = 'developers' AND name >= '0007'"],
        "It cannot be brought up to date: duplicate column name: binding",
    ),
    "a migration in the middle is not noted": (
        ["DELETE FROM django_migrations WHERE app = 'developers' AND name LIKE '0003%'"],
        "It cannot be brought up to date: Migration developers.0004_operator_reason is applied before its dependency",
    ),
    "people are deleted and what was theirs is not": (
        ["DELETE FROM accounts_user"],
        "Its rows contradict each other: 3 rows of account_emailaddress refer to missing ones of accounts_user; ",
    ),
    "a row breaks a constraint": (
        ["PRAGMA ignore_check_constraints = ON", "UPDATE developers_apitoken SET generation = 0"],
        "Its rows contradict each other: CHECK constraint failed in developers_apitoken; ",
    ),
    "text in the place of a number": (
        ["UPDATE developers_apitoken SET generation = 'one'"],
        "Columns hold values of other types than theirs: developers_apitoken.generation.",
    ),
    "a number in the place of a password": (
        ["UPDATE accounts_user SET password = x'00', name = 7"],
        "Columns hold values of other types than theirs: accounts_user.password.",
    ),
}
