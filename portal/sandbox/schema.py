"""The tables of the books, with the rules that no code may break: money is booked once, and never rewritten."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY,
    order_number TEXT NOT NULL UNIQUE,
    order_no TEXT NOT NULL,
    product TEXT NOT NULL CHECK (product IN ('mobile', 'oil')),
    target TEXT NOT NULL,
    card_id INTEGER REFERENCES cards (id),
    amount INTEGER NOT NULL,
    recharge_type INTEGER NOT NULL,
    store_id TEXT NOT NULL,
    notify_url TEXT NOT NULL,
    cost_price INTEGER NOT NULL,
    fanli INTEGER NOT NULL,
    callbacks TEXT NOT NULL CHECK (callbacks IN ('', 'json', 'lost')),
    fault TEXT NOT NULL,
    status INTEGER NOT NULL,
    reason TEXT NOT NULL,
    ahead TEXT NOT NULL,
    due REAL,
    returned INTEGER NOT NULL,
    created REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_by_order_no ON orders (order_no, id);
CREATE INDEX IF NOT EXISTS orders_by_due ON orders (due) WHERE due IS NOT NULL;

CREATE TABLE IF NOT EXISTS history (
    id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders (id), status INTEGER NOT NULL, at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS history_by_order ON history (order_id);

CREATE TABLE IF NOT EXISTS notifications (
    id INTEGER PRIMARY KEY,
    order_id INTEGER NOT NULL REFERENCES orders (id),
    status INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL,
    claimed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS notifications_by_due ON notifications (due) WHERE due IS NOT NULL AND claimed = 0;

CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY,
    order_id INTEGER NOT NULL REFERENCES orders (id),
    status INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    answer TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS attempts_by_order ON attempts (order_id);

CREATE TABLE IF NOT EXISTS ledger (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    order_id INTEGER REFERENCES orders (id),
    kind TEXT NOT NULL CHECK (kind IN ('deposit', 'spend', 'return')),
    amount INTEGER NOT NULL,
    balance INTEGER NOT NULL CHECK (balance >= 0),
    at REAL NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS ledger_once ON ledger (order_id, kind) WHERE order_id IS NOT NULL;
CREATE TRIGGER IF NOT EXISTS ledger_keeps_rows BEFORE DELETE ON ledger BEGIN SELECT RAISE (ABORT, 'append-only'); END;
CREATE TRIGGER IF NOT EXISTS ledger_keeps_values BEFORE UPDATE ON ledger BEGIN SELECT RAISE (ABORT, 'append-only'); END;

CREATE TABLE IF NOT EXISTS cards (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    card_num TEXT NOT NULL,
    name TEXT NOT NULL,
    phone TEXT NOT NULL,
    user_num TEXT NOT NULL,
    card_type INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS received (order_no TEXT PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS calls (endpoint TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS pace (id INTEGER PRIMARY KEY CHECK (id = 1), seconds REAL NOT NULL);
"""
