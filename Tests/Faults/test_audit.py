"""Somebody changes the audit trail behind the gateway's back, and `hivegate verify` says so."""

from own_databases import ask, command, psql, sign_in


def test_verify_tells_a_whole_trail_from_one_that_was_changed(make_gateway):
    gateway = make_gateway().start()
    session = sign_in(gateway)
    organization, token = session["organization_id"], session["access_token"]
    for name in ("one", "two", "three"):
        ask(gateway, "PATCH", f"/api/v1/organizations/{organization}", {"name": name}, token)
    code, output, errors = command(gateway, "verify")
    assert code == 0, errors
    # Those of the organization and of the instance, beside what is said of the books.
    assert len([line for line in output.splitlines() if "whole" in line]) == 2
    assert "transfers pay for their events: yes" in output

    where = f"WHERE org_id = '{organization}' AND action = 'organization.rename'"
    changed = psql(gateway, f"SELECT min(sequence) FROM audit_entries {where}")
    psql(
        gateway,
        "CREATE TABLE kept AS SELECT * FROM audit_entries",
        f"UPDATE audit_entries SET after = before {where} AND sequence = {changed}",
    )
    code, output, _ = command(gateway, "verify")
    assert code == 1
    assert f"{organization}: entry {changed}: was changed" in output
    assert "the instance: " in output
    assert [line for line in output.splitlines() if "whole" in line and "the instance" in line]

    psql(
        gateway,
        "DELETE FROM audit_entries",
        "INSERT INTO audit_entries SELECT * FROM kept",
    )
    assert command(gateway, "verify")[0] == 0
    psql(gateway, f"DELETE FROM audit_entries WHERE org_id = '{organization}'")
    psql(gateway, f"DELETE FROM audit_heads WHERE org_id = '{organization}'")
    assert command(gateway, "verify")[0] == 1
    # The gateway goes on writing, and the gap stays.
    ask(gateway, "PATCH", f"/api/v1/organizations/{organization}", {"name": "four"}, token)
    code, output, _ = command(gateway, "verify")
    assert code == 1
    assert f"{organization}: entry 1: is missing" in output
