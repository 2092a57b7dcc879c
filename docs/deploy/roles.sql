-- Two roles of PostgreSQL: the tables belong to `portal_owner`, who migrates; web processes, workers and beat are
-- `portal_app`, who can add to history but neither change it nor take away the triggers that refuse that to everybody.
-- What `portal_owner` could still do to history shows against the digests in the log: send the log to a machine that whoever has
-- this role doesn't administer, and compare: `manage.py verify_trail --digest - < LOG`.
-- Once, by a superuser, before the first migration (existing tables: REASSIGN OWNED BY ... TO portal_owner):
--
--     CREATE ROLE portal_owner LOGIN; CREATE ROLE portal_app LOGIN;      -- and passwords: \password portal_app
--     ALTER SCHEMA public OWNER TO portal_owner;
--
-- After every migration, in the portal's database: psql --username=portal_owner --file=docs/deploy/roles.sql

GRANT USAGE ON SCHEMA public TO portal_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO portal_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO portal_app;
REVOKE UPDATE, DELETE ON recharge_orderevent, recharge_batchevent, recharge_portalevent, recharge_seal,
    oilcards_oilcardevent FROM portal_app;
REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM portal_app;
