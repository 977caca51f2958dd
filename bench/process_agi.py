"""What many installations run for each call: a process that speaks AGI by pyst2 and opens its database by SQLAlchemy."""

import sys

import sqlalchemy
from asterisk.agi import AGI

url = sys.argv[1]
agi = AGI()
agi.set_variable("TIMEOUT(absolute)", "5")
caller = agi.get_full_variable("${REC_CALLER}")
agi.answer()
agi.stream_file("/prompts/en/recorded")
engine = sqlalchemy.create_engine(url)
with engine.begin() as connection:
    connection.execute(sqlalchemy.text("INSERT INTO calls (caller) VALUES (:caller)"), {"caller": caller})
agi.set_variable("REC_VERDICT", "record")
