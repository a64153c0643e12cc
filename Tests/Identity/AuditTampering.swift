/// What somebody does to one organization's audit trail who can write to the database as they like. `$ORG` and `$OTHER`
/// stand for that organization and for one beside it.
struct AuditTampering: Sendable {
    /// Entries of each trail that is tampered with.
    static let length = 9
    /// The one in the middle of it that most have in mind.
    static let middle = 4

    var name: String
    var statements: [String]
    /// Where its trail is broken, and where the other one's.
    var breach: Int64
    var otherBreach: Int64?

    init(_ name: String, _ statements: String..., breach: Int, otherBreach: Int? = nil) {
        self.name = name
        self.statements = statements
        self.breach = Int64(breach)
        self.otherBreach = otherBreach.map { Int64($0) }
    }

    private static let here = "audit_entries WHERE org_id = '$ORG' AND sequence"
    private static let columns = """
        id, at, actor_kind, actor_user, actor_key, address, request_id, action, target_kind, target_id, before, after, mac
        """

    private static func edit(_ column: String, _ value: String) -> AuditTampering {
        AuditTampering(
            "\(column) = \(value)",
            "UPDATE audit_entries SET \(column) = \(value) WHERE org_id = '$ORG' AND sequence = \(middle)",
            breach: middle)
    }

    static let edits = [
        edit("sequence", "1000"), edit("id", "gen_random_uuid()"),
        edit("at", "at + interval '1 microsecond'"),
        edit("at", "'infinity'"), edit("actor_kind", "'command'"), edit("actor_user", "gen_random_uuid()"),
        edit("actor_user", "NULL"), edit("actor_user", "actor_key"), edit("actor_key", "gen_random_uuid()"),
        edit("actor_key", "NULL"), edit("address", "'192.0.2.8'"), edit("address", "NULL"),
        edit("address", "''"), edit("request_id", "'req_2'"), edit("request_id", "NULL"),
        edit("action", "'organization.delete'"), edit("target_kind", "'key'"),
        edit("target_id", "gen_random_uuid()"), edit("target_id", "upper(target_id)"),
        edit("before", "after"), edit("before", "NULL"), edit("before", "'{}'"), edit("after", "NULL"),
        edit("after", "after || ' '"), edit("after", "''"),
        edit("mac", "set_byte(mac, 31, get_byte(mac, 31) # 1)"),
        edit("(before, after)", "(after, before)"), edit("(address, request_id)", "(request_id, address)"),
    ]

    static let removals = [
        AuditTampering("one in the middle is gone", "DELETE FROM \(here) = \(middle)", breach: middle),
        AuditTampering("the first is gone", "DELETE FROM \(here) = 1", breach: 1),
        AuditTampering("the last is gone", "DELETE FROM \(here) = \(length)", breach: length),
        AuditTampering("it is cut short", "DELETE FROM \(here) > \(middle)", breach: middle + 1),
        AuditTampering(
            "it is cut short, and its end counts no more", "DELETE FROM \(here) > \(middle)",
            "UPDATE audit_heads SET sequence = \(middle) WHERE org_id = '$ORG'", breach: middle),
        AuditTampering(
            "it is cut short, and its end is that of the entry that is the last now",
            "DELETE FROM \(here) > \(middle)",
            """
            UPDATE audit_heads SET sequence = \(middle), mac = (SELECT mac FROM \(here) = \(middle))
            WHERE org_id = '$ORG'
            """, breach: middle),
        AuditTampering("its end is gone", "DELETE FROM audit_heads WHERE org_id = '$ORG'", breach: length),
        AuditTampering(
            "its end is another's",
            """
            UPDATE audit_heads SET (sequence, mac, seal) =
                (SELECT sequence, mac, seal FROM audit_heads WHERE org_id = '$OTHER') WHERE org_id = '$ORG'
            """, breach: length),
        AuditTampering("all entries are gone", "DELETE FROM \(here) > 0", breach: 1),
        AuditTampering(
            "all entries and its end are gone", "DELETE FROM \(here) > 0",
            "DELETE FROM audit_heads WHERE org_id = '$ORG'", breach: 0),
    ]

    static let moves = [
        AuditTampering(
            "two neighbours are swapped",
            "UPDATE audit_entries SET sequence = 1000 WHERE org_id = '$ORG' AND sequence = 4",
            "UPDATE audit_entries SET sequence = 4 WHERE org_id = '$ORG' AND sequence = 5",
            "UPDATE audit_entries SET sequence = 5 WHERE org_id = '$ORG' AND sequence = 1000", breach: 4),
        AuditTampering(
            "the first and the last are swapped",
            "UPDATE audit_entries SET sequence = 1000 WHERE org_id = '$ORG' AND sequence = 1",
            "UPDATE audit_entries SET sequence = 1 WHERE org_id = '$ORG' AND sequence = \(length)",
            "UPDATE audit_entries SET sequence = \(length) WHERE org_id = '$ORG' AND sequence = 1000",
            breach: 1),
        AuditTampering(
            "one is written once more behind the end",
            """
            INSERT INTO audit_entries (org_id, sequence, \(columns))
            SELECT org_id, \(length + 1), gen_random_uuid(), \(columns.dropFirst(4)) FROM \(here) = \(middle)
            """, breach: length + 1),
        AuditTampering(
            "the last is written once more, and the end with it",
            """
            INSERT INTO audit_entries (org_id, sequence, \(columns))
            SELECT org_id, \(length + 1), gen_random_uuid(), \(columns.dropFirst(4)) FROM \(here) = \(length)
            """, "UPDATE audit_heads SET sequence = sequence + 1 WHERE org_id = '$ORG'", breach: length + 1),
        AuditTampering(
            "one is written once more in the middle",
            "UPDATE audit_entries SET sequence = sequence + 1000 WHERE org_id = '$ORG' AND sequence >= \(middle)",
            "UPDATE audit_entries SET sequence = sequence - 999 WHERE org_id = '$ORG' AND sequence >= 1000",
            """
            INSERT INTO audit_entries (org_id, sequence, \(columns))
            SELECT org_id, \(middle), gen_random_uuid(), \(columns.dropFirst(4)) FROM \(here) = 1
            """, breach: middle),
        AuditTampering(
            "one is moved behind the end of another organization's",
            """
            UPDATE audit_entries SET org_id = '$OTHER', sequence = \(length + 1)
            WHERE org_id = '$ORG' AND sequence = \(middle)
            """, breach: middle, otherBreach: length + 1),
        AuditTampering(
            "one trades places with another organization's of the same number",
            "UPDATE audit_entries SET sequence = 1000 WHERE org_id = '$ORG' AND sequence = \(middle)",
            "UPDATE audit_entries SET org_id = '$ORG' WHERE org_id = '$OTHER' AND sequence = \(middle)",
            "UPDATE audit_entries SET org_id = '$OTHER', sequence = \(middle) WHERE org_id = '$ORG' AND sequence = 1000",
            breach: middle, otherBreach: middle),
        AuditTampering(
            "all of it is another organization's",
            "DELETE FROM \(here) > 0",
            """
            INSERT INTO audit_entries (org_id, sequence, \(columns))
            SELECT '$ORG', sequence, gen_random_uuid(), \(columns.dropFirst(4)) FROM audit_entries
            WHERE org_id = '$OTHER'
            """, breach: 1),
    ]
}
