import Base
import HTTPServer
import HTTPWire
import Identity

extension Gateway {
    /// The caller of a request, whose key must have the scope.
    ///
    /// - Parameter presented: the key, where it is not in one of the usual fields.
    func authenticate(_ exchange: Exchange, scope: KeyScopes) async throws -> Caller {
        let caller = try await caller(of: exchange)
        try Self.demand(scope, of: caller)
        return caller
    }

    static func demand(_ scope: KeyScopes, of caller: Caller) throws(Problem) {
        guard caller.scopes.contains(scope) else {
            throw Problem(
                .forbidden, code: "missing_scope",
                "This API key lacks the scope \"\(scope.names.joined(separator: " "))\". Use one that has it."
            )
        }
    }

    /// The caller of a request, by the key that it presents in any of the fields that clients use.
    func caller(of exchange: Exchange) async throws -> Caller {
        let arrival = try await arrival(at: exchange)
        guard try await keys.confirm(arrival) else { throw Problem.invalidKey }
        return arrival.caller
    }

    /// Who presents a key, as far as this process knows; see `Arrival`.
    func arrival(
        at exchange: Exchange, presenting presented: ArraySlice<UInt8>? = nil
    ) async throws -> Arrival {
        guard let text = Self.presentedKey(exchange.request.fields) ?? presented else {
            try await admitAddress(of: exchange)
            throw Problem(
                .unauthenticated, code: "missing_api_key",
                "No API key was given. Send it as \"Authorization: Bearer hg_live_…\".")
        }
        guard let key = APIKey(presented: text) else {
            try await admitAddress(of: exchange)
            throw Problem.invalidKey
        }
        guard
            let arrival = try await keys.arrival(
                presenting: key, from: clientAddress(of: exchange, trusting: trustedNetworks))
        else { throw Problem.invalidKey }
        return arrival
    }

    private static let bearer = Array("bearer ".utf8)

    static func presentedKey(_ fields: HTTPFields) -> ArraySlice<UInt8>? {
        if let value = fields["authorization"] {
            guard value.count > bearer.count, zip(value, bearer).allSatisfy({ $0 | 0x20 == $1 }) else {
                return nil
            }
            return value.dropFirst(bearer.count)
        }
        return fields["x-api-key"] ?? fields["api-key"] ?? fields["x-goog-api-key"]
    }
}

extension Problem {
    static let invalidKey = Problem(
        .unauthenticated, code: "invalid_api_key",
        "The API key is not known, or it was revoked or has expired. Check that it was copied whole.")
}
