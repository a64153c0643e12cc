package import Base

/// What is to be known of a request where its gateway dies while it is under way.
package struct HoldNote: Equatable, Sendable {
    /// Names what is held, and the event of which it will be.
    package var id: UUID
    package var user: UUID
    package var key: UUID
    package var requestID: String
    package var endpoint: String
    package var model: String

    package init(id: UUID, user: UUID, key: UUID, requestID: String, endpoint: String, model: String) {
        self.id = id
        self.user = user
        self.key = key
        self.requestID = requestID
        self.endpoint = endpoint
        self.model = model
    }

    /// What is longer is cut off.
    private static let longestText = 300

    /// All of it, for the database.
    func encoded() -> [UInt8] {
        var bytes = id.bytes
        append(to: &bytes)
        return bytes
    }

    /// As `encoded()` writes it; nil where it is not that.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count >= 48, let id = UUID(bytes: bytes[..<16]) else { return nil }
        self.init(id: id, bytes[16...])
    }

    /// Reads what `append(to:)` has written.
    private init?(id: UUID, _ bytes: ArraySlice<UInt8>) {
        let start = bytes.startIndex
        guard bytes.count >= 32, let user = UUID(bytes: bytes[start..<start + 16]),
            let key = UUID(bytes: bytes[start + 16..<start + 32])
        else { return nil }
        let texts = bytes[(start + 32)...].split(separator: 0, omittingEmptySubsequences: false)
        guard texts.count == 4 else { return nil }
        func text(_ place: Int) -> String { String(decoding: texts[place], as: UTF8.self) }
        self.init(id: id, user: user, key: key, requestID: text(0), endpoint: text(1), model: text(2))
    }

    private func append(to bytes: inout [UInt8]) {
        bytes += user.bytes
        bytes += key.bytes
        for text in [requestID, endpoint, model] {
            bytes.append(contentsOf: text.utf8.prefix(Self.longestText))
            bytes.append(0)
        }
    }

    /// Behind the hold's amounts: who speaks for it, all that is known, and how long that is.
    func encoded(by worker: Double) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(64 + requestID.utf8.count + endpoint.utf8.count + model.utf8.count)
        withUnsafeBytes(of: worker.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
        append(to: &bytes)
        let size = UInt16(bytes.count)
        bytes.append(UInt8(truncatingIfNeeded: size))
        bytes.append(UInt8(size >> 8))
        return bytes
    }

    /// What is held of one limit.
    package struct Part: Equatable, Sendable {
        package var limit: UUID
        package var nanodollars: Int64
    }

    /// A hold as Redis has it.
    package struct Hold: Sendable {
        package let note: HoldNote
        let run: Double
        /// In milliseconds of Redis's clock.
        package let time: Int64
        let worker: Double
        package let parts: [Part]
    }

    /// Reads a hold; nil where it is none.
    static func hold(_ field: [UInt8], _ value: [UInt8]) -> Hold? {
        guard field.first == 0x68, let id = UUID(bytes: field.dropFirst()), value.count >= 18 else {
            return nil
        }
        let size = Int(value[value.count - 2]) | Int(value[value.count - 1]) << 8
        let start = value.count - 2 - size
        guard size >= 43, start >= 16, (start - 16) % 24 == 0,
            let note = HoldNote(id: id, value[start + 8..<value.count - 2])
        else { return nil }
        return value.withUnsafeBytes { bytes in
            Hold(
                note: note,
                run: bytes.double(at: 0), time: Int64(bytes.double(at: 8)), worker: bytes.double(at: start),
                parts: stride(from: 16, to: start, by: 24).compactMap { place in
                    UUID(bytes: value[place..<place + 16]).map {
                        Part(limit: $0, nanodollars: Int64(bytes.double(at: place + 16)))
                    }
                })
        }
    }
}
