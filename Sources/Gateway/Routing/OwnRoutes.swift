import Base
import Catalog
import Providers

/// What an organization has of its own on the way of its requests.
struct OwnRoutes: Sendable {
    static let none = OwnRoutes()

    var policy = RoutePolicy()
    /// Reached with the organization's own keys.
    var upstreams = UpstreamDirectory.Snapshot([])
    /// Whether a provider that it has keys for is asked with the instance's too, behind its own.
    var usesInstanceKeys = false
}

/// The upstreams that an organization's requests may go to.
struct Reach: Sendable {
    let instance: UpstreamDirectory.Snapshot
    let own: OwnRoutes

    /// The best first. Where an organization has keys of its own, nobody else's are used unless it says so.
    func upstreams(named name: String) -> [Upstream] {
        let own = own.upstreams.named(name)
        if own.isEmpty { return instance.named(name) }
        return self.own.usesInstanceKeys ? own + instance.named(name) : own
    }

    /// Also of the sandbox, which is in this process.
    func canAsk(_ model: CatalogModel) -> Bool {
        model.provider == SandboxModel.provider || has(model.provider)
    }

    func has(_ provider: String) -> Bool {
        !own.upstreams.named(provider).isEmpty || !instance.named(provider).isEmpty
    }

    /// Each provider's, by the providers' names.
    var upstreams: [Upstream] {
        Set(own.upstreams.names).union(instance.names).sorted().flatMap { upstreams(named: $0) }
    }
}
