package import Base
package import Chat

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
    package var request: CanonicalRequest
    /// Fields of its head that go to the provider, or change what is asked of it: `anthropic-beta`.
    package var fields: [Field]
    package var shaping: Shaping
    /// Who may answer: `id@upstream model name`, in any order.
    package var models: [String]
    /// How often what the catalogue says of models has changed.
    package var catalogueEpoch: Int64

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
        organization: UUID, kind: Kind, dialect: ChatDialect, request: CanonicalRequest, fields: [Field],
        shaping: Shaping, models: [String], catalogueEpoch: Int64
    ) {
        self.organization = organization
        self.kind = kind
        self.dialect = dialect
        self.request = request
        self.fields = fields
        self.shaping = shaping
        self.models = models
        self.catalogueEpoch = catalogueEpoch
    }
}

// MARK: - What goes into the key
extension CacheSubject {
    /// Everything, each with its length in front where it has no fixed one: no two subjects have the same bytes.
    func append(to bytes: inout [UInt8]) {
        bytes.reserveCapacity(512)
        append(organization.high, to: &bytes)
        append(organization.low, to: &bytes)
        append(kind.rawValue, to: &bytes)
        append(dialect.rawValue, to: &bytes)
        appendFields(to: &bytes)
        bytes.append(shaping.rawValue)
        append(UInt64(models.count), to: &bytes)
        for model in models.count > 1 ? models.sorted() : models { append(model, to: &bytes) }
        append(UInt64(bitPattern: catalogueEpoch), to: &bytes)
        bytes.append(request.streamMatters ? 1 : 0)
        bytes.append(contentsOf: request.digest)
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

    private func append(_ number: UInt64, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append($0) }
    }

    private func append(_ text: String, to bytes: inout [UInt8]) {
        append(UInt64(text.utf8.count), to: &bytes)
        bytes.append(text)
    }
}
