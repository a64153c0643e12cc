import Identity

/// The handlers of `CacheEndpoints`.
extension Gateway {
    private static let noPolicy = Array("{}".utf8)

    func showCachePolicy(_ call: APICall) async throws -> Reply {
        let policy = try await identity.store.cachePolicy(of: call.ownOrganization())
        return .json(200, policy ?? Self.noPolicy)
    }

    func setCachePolicy(_ call: APICall) async throws -> Reply {
        let organization = try call.ownOrganization()
        let written = call.fields.canonical
        await identity.announce(
            try await identity.store.setCachePolicy(
                of: organization, to: written == Self.noPolicy ? nil : written, by: call.actor))
        await forgetAnswers(of: organization)
        return try await showCachePolicy(call)
    }
}
