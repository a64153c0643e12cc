import Admission
package import Base

/// What a call leaves in the journal, until the database has it: which limits paid how much, for whoever looks into Redis, and
/// behind that its lines as `COPY` takes them.
///
/// | bytes | what |
/// |---|---|
/// | 1 | the version of all that follows |
/// | 1 | how many limits have paid |
/// | 8 | when the call ended, in milliseconds |
/// | 24 each | a limit's id, and nano-dollars |
/// | rest | lines of `UsageColumns` |
package struct JournalEntry: Equatable, Sendable {
    package let organization: UUID
    /// Of the call. What has the same name is the same.
    package let id: UUID
    package let bytes: [UInt8]

    /// Version 1 has no own prices.
    static let version: UInt8 = 2
    private static let headSize = 10
    private static let chargeSize = 24
    /// Limits on money that one call touches.
    private static let mostCharges = 255
    private static let organizationColumn = 5

    package init(_ event: UsageEvent) {
        precondition(event.charges.count <= Self.mostCharges, "nobody has so many limits")
        var bytes: [UInt8] = []
        bytes.reserveCapacity(
            Self.headSize + Self.chargeSize * event.charges.count + 640 * max(1, event.attempts.count))
        Self.appendHead(at: event.at, event.charges, to: &bytes)
        event.appendRows(to: &bytes)
        organization = event.organization
        id = event.id
        self.bytes = bytes
    }

    /// What was found in a journal; nil where it is none, or one of a version to come.
    init?(id: UUID, found bytes: [UInt8]) {
        guard bytes.count > Self.headSize, 1...Self.version ~= bytes[0] else { return nil }
        let bytes = bytes[0] == 1 ? Self.raised(bytes) : bytes
        let start = Self.rowsStart(bytes)
        guard start < bytes.count else { return nil }
        let columns = bytes[start...].split(
            separator: 0x09, maxSplits: Self.organizationColumn + 1, omittingEmptySubsequences: false)
        guard columns.count > Self.organizationColumn,
            let organization = UUID(String(decoding: columns[Self.organizationColumn], as: UTF8.self))
        else { return nil }
        self.organization = organization
        self.id = id
        self.bytes = bytes
    }

    /// Of calls that were given the same kept answer.
    init(
        kept event: UsageEvent, calls: Int, saving nanodollars: Int64, _ requestID: String,
        at moment: Timestamp
    ) {
        var event = event
        (event.id, event.at, event.requestID) = (.make(at: moment), moment, requestID)
        event.kept?.nanodollarsSaved = nanodollars
        var bytes: [UInt8] = []
        Self.appendHead(at: moment, [], to: &bytes)
        event.appendRows(to: &bytes, calls: calls)
        organization = event.organization
        id = event.id
        self.bytes = bytes
    }

    /// Of a call whose gateway died: nobody knows what it used. Its organization pays nothing, because nothing says that it
    /// was delivered; what its provider may ask, at most what was held, is written off.
    init(orphan hold: HoldNote.Hold, of organization: UUID, at moment: Timestamp) {
        self.init(
            orphan: hold.note, since: Timestamp(microseconds: hold.time * 1000),
            worst: hold.parts.map(\.nanodollars).max() ?? 0, of: organization, at: moment)
    }

    /// - Parameter worst: what was held for it, in nano-dollars.
    init(
        orphan note: HoldNote, since start: Timestamp, worst: Int64, of organization: UUID,
        at moment: Timestamp
    ) {
        let event = UsageEvent(
            id: note.id, requestID: note.requestID, organization: organization, user: note.user,
            key: note.key,
            endpoint: note.endpoint, model: note.model, at: moment, attempts: [])
        var bytes: [UInt8] = []
        Self.appendHead(at: moment, [], to: &bytes)
        var row = UsageRow(capacity: 640)
        row.addCall(event, attempt: 0, isLast: true)
        row.add("")
        row.add("")
        row.addNoAttempt(
            at: start, outcome: "orphaned", cache: nil, writtenOff: worst)
        row.addEnd(event, isLast: true, override: nil)
        self.organization = organization
        id = note.id
        self.bytes = bytes + row.bytes
    }

    /// An entry of version 1 as one of this: each of its lines has one column more.
    private static func raised(_ old: [UInt8]) -> [UInt8] {
        let start = min(rowsStart(old), old.count)
        var bytes = [version] + old[1..<start]
        for byte in old[start...] {
            // Within a column an end of line is written otherwise.
            if byte == 0x0A { bytes += "\t\\N".utf8 }
            bytes.append(byte)
        }
        return bytes
    }

    static func appendHead(at moment: Timestamp, _ charges: [UsageEvent.Charge], to bytes: inout [UInt8]) {
        bytes.append(version)
        bytes.append(UInt8(charges.count))
        bytes.append(littleEndian: Double(moment.microseconds / 1000))
        for charge in charges {
            bytes += charge.limit.bytes
            bytes.append(littleEndian: Double(charge.nanodollars))
        }
    }

    private static func rowsStart(_ bytes: [UInt8]) -> Int { headSize + chargeSize * Int(bytes[1]) }

    /// Its lines.
    var rows: ArraySlice<UInt8> { bytes[Self.rowsStart(bytes)...] }

    /// When the call ended.
    package var at: Timestamp {
        let milliseconds = bytes.withUnsafeBytes {
            Double(bitPattern: $0.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
        }
        return Timestamp(microseconds: Int64(milliseconds) * 1000)
    }
}

extension [UInt8] {
    fileprivate mutating func append(littleEndian number: Double) {
        Swift.withUnsafeBytes(of: number.bitPattern.littleEndian) { append(contentsOf: $0) }
    }
}
