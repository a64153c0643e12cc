package import Base
package import HTTPServer
package import Identity

/// A request to an endpoint whose caller is allowed and whose contents are as described.
package struct APICall: Sendable {
    package let exchange: Exchange
    /// `nil` where nobody is asked.
    package let caller: Principal?
    /// The body's.
    package let fields: Fields
    package let query: Fields
    /// The client's: see `clientAddress(of:trusting:)`.
    package let address: IPAddress?
    package let now: Timestamp
    private let identifiers: [String: UUID]
    private let texts: [String: String]

    init(
        exchange: Exchange, caller: Principal?, fields: Fields, query: Fields, identifiers: [String: UUID],
        texts: [String: String], address: IPAddress?, now: Timestamp
    ) {
        self.exchange = exchange
        self.caller = caller
        self.fields = fields
        self.query = query
        self.identifiers = identifiers
        self.texts = texts
        self.address = address
        self.now = now
    }

    /// Who calls. Only for endpoints that ask.
    package var principal: Principal {
        guard let caller else { preconditionFailure("an open endpoint asks who calls it") }
        return caller
    }

    /// The UUID in the path.
    package func id(_ name: String) -> UUID {
        guard let value = identifiers[name] else {
            preconditionFailure("the path has no identifier \(name)")
        }
        return value
    }

    /// The text in the path, decoded.
    package func text(_ name: String) -> String {
        guard let value = texts[name] else { preconditionFailure("the path has no text \(name)") }
        return value
    }
}
