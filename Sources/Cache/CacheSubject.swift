package import Base
package import Chat
package import JSON

/// What is asked, with everything that can change the answer. Two requests share an answer exactly when the keys of
/// their subjects are the same.
///
/// A property that is added here belongs into `append(to:)`, too; a test changes each and looks at the key.
package struct CacheSubject: Sendable {
    /// Nobody is answered with what another organization was told.
    package var organization: UUID
    package var kind: Kind
    /// In whose words the client asks, and is answered.
    package var dialect: ChatDialect
    /// The request as the client sent it.
    package var document: JSONDocument
    /// Fields of its head that go to the provider, or change what is asked of it: `anthropic-beta`.
    package var fields: [Field]
    package var shaping: Shaping
    /// Who may answer: `id@upstream model name`, in any order.
    package var models: [String]
    /// How often what the catalogue says of models has changed.
    package var catalogueEpoch: Int64
    /// Whether a stream and a whole answer cannot be made of each other: see `streamMatters(in:dialect:)`.
    package var streamMatters: Bool

    package enum Kind: String, CaseIterable, Sendable { case chat, embedding, image }

    package struct Field: Equatable, Sendable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// What is done to an answer on its way.
    package struct Shaping: OptionSet, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let validates = Shaping(rawValue: 1)
        package static let repairs = Shaping(rawValue: 2)
        package static let fetchesImages = Shaping(rawValue: 4)
    }

    /// Without defaults: who adds a property has to say everywhere what it is.
    package init(
        organization: UUID, kind: Kind, dialect: ChatDialect, document: JSONDocument, fields: [Field],
        shaping: Shaping, models: [String], catalogueEpoch: Int64, streamMatters: Bool
    ) {
        self.organization = organization
        self.kind = kind
        self.dialect = dialect
        self.document = document
        self.fields = fields
        self.shaping = shaping
        self.models = models
        self.catalogueEpoch = catalogueEpoch
        self.streamMatters = streamMatters
    }
}

// MARK: - What goes into the key
extension CacheSubject {
    /// Everything, each with its length in front where it has no fixed one: no two subjects have the same bytes.
    func append(to bytes: inout [UInt8]) {
        bytes.reserveCapacity(bytes.count + document.bytes.count + 512)
        append(organization.high, to: &bytes)
        append(organization.low, to: &bytes)
        append(kind.rawValue, to: &bytes)
        append(dialect.rawValue, to: &bytes)
        appendFields(to: &bytes)
        bytes.append(shaping.rawValue)
        append(UInt64(models.count), to: &bytes)
        for model in models.sorted() { append(model, to: &bytes) }
        append(UInt64(bitPattern: catalogueEpoch), to: &bytes)
        bytes.append(streamMatters ? 1 : 0)
        // Last, and by its form one value that ends where it ends.
        appendDocument(to: &bytes)
    }

    /// Names in any case and order; several of one name stay in theirs.
    private func appendFields(to bytes: inout [UInt8]) {
        append(UInt64(fields.count), to: &bytes)
        if fields.isEmpty { return }
        let named = fields.map { (name: $0.name.lowercased(), value: $0.value) }
        let order = named.indices.sorted {
            named[$0].name == named[$1].name ? $0 < $1 : named[$0].name < named[$1].name
        }
        for index in order {
            append(named[index].name, to: &bytes)
            append(named[index].value, to: &bytes)
        }
    }

    /// Whatever is not known to be without effect counts. A member that is null says as much as one that is not there.
    private func appendDocument(to bytes: inout [UInt8]) {
        document.root.appendCanonical(to: &bytes) { member in
            if member.value.isNull { return false }
            return streamMatters || !Self.isAboutStream(member.key)
        }
    }

    private static func isAboutStream(_ key: JSONString) -> Bool {
        switch key {
        case "stream", "stream_options": true
        default: false
        }
    }

    private func append(_ number: UInt64, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append($0) }
    }

    private func append(_ text: String, to bytes: inout [UInt8]) {
        append(UInt64(text.utf8.count), to: &bytes)
        bytes.append(text)
    }
}
