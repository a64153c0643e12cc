import Base
import Identity
import JSON

/// The handlers of `RoutingEndpoints`.
extension Gateway {
    private static let noPolicy = Array("{}".utf8)

    func showRouting(_ call: APICall) async throws -> Reply {
        let policy = try await identity.store.routingPolicy(of: call.ownOrganization())
        return .json(200, policy ?? Self.noPolicy)
    }

    func setRouting(_ call: APICall) async throws -> Reply {
        let organization = try call.ownOrganization()
        let written = call.fields.canonical
        // Whatever is kept is understood when it is needed.
        let rules = try RoutingRules(json: written)
        let change = try await identity.store.setRoutingPolicy(
            of: organization, to: rules == RoutingRules() ? nil : written, by: call.actor)
        await identity.announce(change)
        await forgetAnswers(of: organization)
        return try await showRouting(call)
    }
}
