package import Base

/// One line of the audit trail: who did what to what, as it was before and after, and from where.
package struct AuditEntry: Sendable {
    package var organization: UUID
    package var sequence: Int64
    package var id: UUID
    package var at: Timestamp
    package var actor: Actor
    /// `key.revoke`
    package var action: String
    package var targetKind: String
    package var targetID: String
    /// JSON; never with a secret in it.
    package var before: String?
    package var after: String?

    /// What its code is made over: every field behind its length, so that no two entries read the same, and the code
    /// of the entry before it.
    func bytes(after previous: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        func add(_ field: some Collection<UInt8>) {
            withUnsafeBytes(of: UInt32(field.count).bigEndian) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: field)
        }
        func add(_ text: String?) {
            bytes.append(text == nil ? 0 : 1)
            if let text { add(text.utf8) }
        }
        add(previous)
        add(organization.bytes)
        add("\(sequence)")
        add(id.bytes)
        add("\(at.microseconds)")
        add(actor.kind.rawValue)
        add(actor.user?.description)
        add(actor.key?.description)
        add(actor.address)
        add(actor.requestID)
        add(action)
        add(targetKind)
        add(targetID)
        add(before)
        add(after)
        return bytes
    }

    /// The chain of the instance itself: what belongs to no organization.
    package static let instance = UUID(high: 0, low: 0)
    /// What the first entry of a chain follows on.
    static let origin = [UInt8](repeating: 0, count: 32)
}
