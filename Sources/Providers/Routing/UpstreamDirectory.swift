import Base

/// The upstreams of this instance, as all loops see them: a whole state of them at a time.
package final class UpstreamDirectory: Sendable {
    /// Who has set an upstream up. Each replaces only what is its own.
    package enum Source: Int, CaseIterable, Sendable {
        case environment
        /// Whoever manages the instance, while it runs.
        case `operator`
        /// A server of the house that was found.
        case found
    }

    /// All of them at one time. It never changes.
    package final class Snapshot: Sendable {
        package let upstreams: [Upstream]
        private let byName: [String: [Upstream]]

        package init(_ upstreams: [Upstream]) {
            self.upstreams = upstreams
            byName = Dictionary(grouping: upstreams, by: \.name)
        }

        /// Several where a provider is reached at several places, or by several accounts.
        package func named(_ name: String) -> [Upstream] { byName[name] ?? [] }

        package var names: Dictionary<String, [Upstream]>.Keys { byName.keys }
    }

    private struct State {
        var bySource: [[Upstream]] = Source.allCases.map { _ in [] }
        var snapshot = Snapshot([])
    }

    private let state: Locked<State>

    package init(_ upstreams: [Upstream] = []) {
        var state = State()
        state.bySource[Source.environment.rawValue] = upstreams
        state.snapshot = Snapshot(upstreams)
        self.state = Locked(state)
    }

    package var snapshot: Snapshot { state.withLock { $0.snapshot } }

    /// What `source` has set up from now on. An upstream that stays as it was keeps what is known of how it fares.
    package func replace(_ settings: [Upstream.Settings], from source: Source) {
        state.withLock { state in
            let upstreams = Upstream.keeping(state.bySource[source.rawValue], for: settings)
            state.bySource[source.rawValue] = upstreams
            state.snapshot = Snapshot(state.bySource.flatMap(\.self))
        }
    }
}

extension Upstream {
    /// An upstream for each of `settings`: of `known` where there is one that is set up like that.
    package static func keeping(_ known: [Upstream], for settings: [Settings]) -> [Upstream] {
        settings.map { settings in known.first { $0.settings.isSame(as: settings) } ?? Upstream(settings) }
    }
}

extension Upstream.Settings {
    /// Whether the same place is reached in the same way, by the same keys.
    fileprivate func isSame(as other: Self) -> Bool {
        name == other.name && baseURL == other.baseURL && authorization == other.authorization
            && region == other.region && keys == other.keys && isDirect == other.isDirect
            && owner == other.owner && chat?.dialect == other.chat?.dialect && modelsPath == other.modelsPath
            && (responses == nil) == (other.responses == nil)
            && (embeddings == nil) == (other.embeddings == nil) && (images == nil) == (other.images == nil)
    }
}
