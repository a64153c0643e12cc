import Admission
package import Base
package import HTTPServer
import HTTPWire
import Identity

extension Endpoint {
    /// The line of the server's table that answers this. In the order in which a caller may learn: whether they are
    /// known (401), whether they are allowed (403), whether there can be such an object (404), and what is wrong with
    /// what they sent (415, 400, 422).
    package func route(_ gateway: @escaping GatewayOfLoop) -> Route {
        let metadata = RouteMetadata(
            name, access: access.description, bodyLimit: bodyLimit, summary: summary, group: group,
            goesDeep: access == .inference)
        switch handle {
        case .direct(let handler, let beginning):
            return Route(method, path, metadata, beginning: beginning?(gateway), handler(gateway))
        case .checked(let handle):
            return Route(method, path, metadata) { exchange in
                // On the exchange, so that errors carry them too.
                exchange.responseFields.append("X-Request-Id", exchange.id)
                exchange.responseFields.append("Cache-Control", "no-store")
                let gateway = gateway(exchange.loop)
                if access == .open { try await gateway.admitAddress(of: exchange) }
                let principal = try await principal(of: exchange, gateway)
                let permit = try await admit(principal, exchange, gateway)
                defer { if let permit { gateway.gatekeeper.settle(permit, tokens: 0) } }
                let call = try await call(exchange, principal, gateway)
                let reply = try await once(call, gateway) { try await handle(gateway, call) }
                if let stream = reply.stream {
                    try await stream(try await exchange.stream(reply.status, reply.fields))
                } else {
                    exchange.respond(reply.status, reply.fields, body: reply.body)
                }
            }
        }
    }

    /// Who calls and may; nil where nobody is asked.
    private func principal(of exchange: Exchange, _ gateway: Gateway) async throws -> Principal? {
        let principal = try await gateway.principal(of: exchange, for: access)
        if let principal { try access.admit(principal) }
        precondition(principal != nil || access == .open, "\(name) runs for somebody unknown")
        return principal
    }

    /// Where an organization's limits are set nobody is kept out by them.
    private func admit(
        _ principal: Principal?, _ exchange: Exchange, _ gateway: Gateway
    ) async throws -> Permit? {
        guard let principal, access != .inference, !path.hasSuffix(LimitEndpoints.path) else { return nil }
        return try await gateway.admitManagement(by: principal, exchange)
    }

    private func call(
        _ exchange: Exchange, _ principal: Principal?, _ gateway: Gateway
    ) async throws -> APICall {
        let path = try pathValues(of: exchange)
        let input = try await input(of: exchange)
        return APICall(
            exchange: exchange, caller: principal, fields: input.fields, query: input.query,
            identifiers: path.identifiers, texts: path.texts,
            address: clientAddress(of: exchange, trusting: gateway.trustedNetworks),
            now: gateway.time.timestamp())
    }

    private func pathValues(
        of exchange: Exchange
    ) throws(Problem) -> (identifiers: [String: UUID], texts: [String: String]) {
        var identifiers: [String: UUID] = [:]
        var texts: [String: String] = [:]
        for parameter in parameters {
            let text = exchange.parameters[parameter.name] ?? ""
            switch parameter.kind {
            case .object:
                guard let identifier = UUID(text) else { throw .nothingHere }
                identifiers[parameter.name] = identifier
            case .text(let schema):
                guard schema.takes(text) else { throw .nothingHere }
                texts[parameter.name] = text
            }
        }
        return (identifiers, texts)
    }
}

extension Problem {
    /// For whatever is not there, and for what is another organization's: nobody can tell them apart.
    package static let nothingHere = Problem(
        .notFound, code: "not_found", "There is nothing at this address.")
}
