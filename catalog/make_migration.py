#!/usr/bin/env python3
"""Writes migrations/…_models.sql from models.csv: see README.md.

    catalog/make_migration.py [FILE]        # the newest …_models.sql, or FILE for a new one
    catalog/make_migration.py --check       # says whether the newest is what models.csv says
"""

import csv
import pathlib
import sys
from decimal import Decimal

HERE = pathlib.Path(__file__).resolve().parent
MIGRATIONS = HERE.parent / "migrations"

TEXT, COUNT, LIST, FLAG, DAY = "text", "count", "list", "flag", "day"
MODEL_COLUMNS = {
    "provider": TEXT,
    "upstream_name": TEXT,
    "slug": TEXT,
    "family": TEXT,
    "title": TEXT,
    "mode": TEXT,
    "aliases": LIST,
    "context_tokens": COUNT,
    "max_output_tokens": COUNT,
    "input_modalities": LIST,
    "output_modalities": LIST,
    "capabilities": LIST,
    "regions": LIST,
    "may_be_retained": FLAG,
    "tokenizer_factor": COUNT,
    "released_on": DAY,
    "deprecated_on": DAY,
    "shutdown_on": DAY,
    "replacement": TEXT,
    "source": TEXT,
    "verified_on": DAY,
}
# A model without any value for these is listed without a price, which is not the same as a price of 0.
PER_MILLION_TOKENS = [
    "input",
    "cache_read",
    "cache_write",
    "cache_write_long",
    "output",
    "reasoning",
    "audio_input",
    "audio_output",
    "image_output",
    "long_input",
    "long_output",
]
PER_UNIT = ["image", "request", "search", "second", "character"]
PRICE_ORDER = PER_MILLION_TOKENS[:9] + PER_UNIT + ["long_above"] + PER_MILLION_TOKENS[9:]
CSV_COLUMNS = [*MODEL_COLUMNS, "price_from", *PRICE_ORDER]

HEAD = """\
-- The models that Hivegate knows. Written by catalog/make_migration.py from catalog/models.csv: change that, not this.
--
-- What an operator has entered stays as it is. A price that is new ends the one before it.

SET LOCAL app.system = 'on';
"""

CONFLICT = """
ON CONFLICT (id) DO UPDATE SET
{assignments}
WHERE models.source <> 'operator';
"""

PRICES = """
CREATE TEMPORARY TABLE shipped_prices (LIKE model_prices INCLUDING DEFAULTS) ON COMMIT DROP;

INSERT INTO shipped_prices
    ({columns})
VALUES
{rows};

DELETE FROM shipped_prices USING model_prices AS kept
WHERE kept.model_id = shipped_prices.model_id AND kept.source = 'operator';

UPDATE model_prices AS former SET effective_to = shipped_prices.effective_from
FROM shipped_prices
WHERE former.model_id = shipped_prices.model_id AND former.effective_to IS NULL
    AND former.effective_from < shipped_prices.effective_from;

INSERT INTO model_prices ({columns})
SELECT {columns}
FROM shipped_prices
ON CONFLICT (model_id, effective_from) DO NOTHING;

-- The next file of this kind may run in the same session.
DROP TABLE shipped_prices;
"""


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def literal(value, kind):
    if kind == LIST:
        elements = [quoted(each) for each in value.split("+") if each]
        return f"ARRAY[{', '.join(elements)}]" if elements else "'{}'"
    if value == "":
        return "NULL"
    if kind == COUNT:
        return str(int(value))
    if kind == FLAG:
        return {"true": "true", "false": "false"}[value]
    return quoted(value)


def picodollars(value, scale):
    """Whole, or the price is more exact than the unit can say."""
    if value == "":
        return "NULL"
    exact = Decimal(value) * scale
    if exact != int(exact) or exact < 0:
        raise SystemExit(f"{value} dollars is no whole number of pico-dollars")
    return str(int(exact))


def price(row, column):
    if column == "long_above":
        return literal(row[column], COUNT)
    # A dollar for a million tokens is a micro-dollar for one.
    return picodollars(row[column], 10**12 if column in PER_UNIT else 10**6)


def check(rows):
    if list(rows[0]) != CSV_COLUMNS:
        raise SystemExit("the columns of models.csv are not those that README.md describes")
    order = [(row["provider"], row["upstream_name"]) for row in rows]
    if order != sorted(set(order)):
        raise SystemExit("models.csv is not in the order of provider and name, or a model is there twice")
    known = {f"{provider}/{name}" for provider, name in order}
    for row in rows:
        if row["replacement"] and row["replacement"] not in known:
            raise SystemExit(f"{row['replacement']} replaces {row['upstream_name']} and is not in models.csv")
        if any(row[column] for column in PRICE_ORDER) != bool(row["price_from"]):
            raise SystemExit(f"{row['upstream_name']} has prices or price_from, and not the other")


def migration(rows):
    check(rows)
    model_columns = ["id", *MODEL_COLUMNS]
    models, prices = [], []
    for row in rows:
        name = quoted(f"{row['provider']}/{row['upstream_name']}")
        models.append([name] + [literal(row[column], kind) for column, kind in MODEL_COLUMNS.items()])
        if row["price_from"]:
            start = quoted(f"{row['price_from']} 00:00:00+00")
            prices.append([name, start] + [price(row, column) for column in PRICE_ORDER] + [quoted(row["source"])])
    assignments = ",\n".join(f"    {column} = excluded.{column}" for column in MODEL_COLUMNS)
    price_columns = ["model_id", "effective_from", *PRICE_ORDER, "source"]
    return (
        HEAD
        + f"\nINSERT INTO models\n    ({', '.join(model_columns)})\nVALUES\n{lines(models)}"
        + CONFLICT.format(assignments=assignments)
        + PRICES.format(columns=", ".join(price_columns), rows=lines(prices))
    )


def lines(rows):
    return ",\n".join(f"    ({', '.join(row)})" for row in rows)


def newest():
    return sorted(MIGRATIONS.glob("*_models.sql"))[-1]


def main(arguments):
    with open(HERE / "models.csv", newline="", encoding="utf-8") as file:
        text = migration(list(csv.DictReader(file)))
    if arguments == ["--check"]:
        if newest().read_text(encoding="utf-8") != text:
            raise SystemExit(f"{newest().name} is not what models.csv says")
        return
    target = pathlib.Path(arguments[0]) if arguments else newest()
    target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
