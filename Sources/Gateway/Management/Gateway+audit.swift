import Base
import HTTPWire
import Identity
import JSON

extension Gateway {
    func listAuditEntries(_ call: APICall, of chain: UUID) async throws -> Reply {
        let isTable = call.query.string("format") == "csv"
        if isTable, chain != AuditEntry.instance { try await require(.auditExport, for: call) }
        var filter = AuditFilter()
        filter.action = call.query.optionalString("action")
        filter.actor = call.query.optionalID("actor")
        filter.targetID = call.query.optionalString("target")
        filter.since = call.query.optionalTimestamp("since")
        filter.until = call.query.optionalTimestamp("until")
        filter.before = call.query.optionalInteger("before").map { Int64($0) }
        filter.limit = call.query.integer("limit")
        let entries = try await identity.store.auditTrail(of: chain, filter)
        if isTable {
            return Reply(
                200,
                [
                    "Content-Type": "text/csv; charset=utf-8",
                    "Content-Disposition": "attachment; filename=\"audit.csv\"",
                ],
                body: AuditTable.csv(entries))
        }
        return .json { json in
            json.list(entries, hasMore: entries.count == filter.limit) { json, entry in json.fields(of: entry)
            }
        }
    }
}

/// The audit trail as a table for spreadsheets.
enum AuditTable {
    private static let heading =
        "sequence,id,at,actor_kind,actor_user,actor_key,address,action,target_kind,target_id,before,after,request_id"

    static func csv(_ entries: [AuditEntry]) -> [UInt8] {
        var text = heading + "\r\n"
        for entry in entries {
            let cells: [String?] = [
                "\(entry.sequence)", entry.id.description, entry.at.description, entry.actor.kind.rawValue,
                entry.actor.user?.description, entry.actor.key?.description, entry.actor.address,
                entry.action,
                entry.targetKind, entry.targetID, entry.before, entry.after, entry.actor.requestID,
            ]
            text += CSVLine.text(cells)
        }
        return Array(text.utf8)
    }
}
