-- Runs once, when the database is made, as its owner: the login of the gateways. It can do nothing by itself;
-- a gateway acts as hivegate_app, which row-level security binds. The first migration gives that role its rights.
\getenv password HIVEGATE_DATABASE_PASSWORD

CREATE ROLE hivegate_app NOLOGIN NOSUPERUSER NOBYPASSRLS;
CREATE ROLE hivegate_gateway LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
GRANT hivegate_app TO hivegate_gateway;
