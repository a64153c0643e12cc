import Base
import Catalog
import Identity
import JSON
import Providers

/// The handlers of `ProviderEndpoints`.
extension Gateway {
    func listProviders() async throws -> Reply {
        let providers = try await identity.store.providers()
        return .json { json in json.list(providers) { json, one in json.fields(of: one) } }
    }

    func addProvider(_ call: APICall) async throws -> Reply {
        let name = call.fields.string("name")
        if ProviderPreset.named(name) != nil {
            throw Problem(
                .conflict, code: "provider_exists",
                "The provider \"\(name)\" is known already: add a key by POST /api/v1/admin/credentials, or choose "
                    + "another name.",
                field: "name")
        }
        let provider = StoredProvider(
            name: name, title: call.fields.optionalString("title") ?? name,
            dialect: call.fields.string("dialect"), baseURL: call.fields.string("base_url"),
            createdAt: call.now)
        let models = try Self.models(call, of: provider)
        try await identity.store.addProvider(
            provider, key: call.fields.optionalSecret("api_key"), by: call.actor
        ) { try await CatalogStore.add(models, $0) }
        try await refreshProviders()
        return .json(201) { json in json.fields(of: provider) }
    }

    func deleteProvider(_ call: APICall) async throws -> Reply {
        let name = call.text("provider")
        try await identity.store.deleteProvider(name, by: call.actor) {
            try await CatalogStore.removeAll(of: name, $0)
        }
        try await refreshProviders()
        return .empty()
    }

    /// So that this process knows of a change before it is answered.
    func refreshProviders() async throws {
        try await upstreams.refresh(from: identity.store)
        try await refreshCatalog()
    }

    private static func models(_ call: APICall, of provider: StoredProvider) throws -> [CatalogModel] {
        var names: Set<String> = []
        return try (call.fields.value("models")?.elements.map { $0 } ?? []).enumerated().map { index, value in
            let name = value.string ?? value["name"]?.string ?? ""
            guard names.insert(name).inserted else {
                throw Problem(
                    .unprocessable, code: "invalid_body", "models[\(index)]: is in the list already.",
                    field: "models[\(index)]")
            }
            return CatalogModel(value, name: name, of: provider)
        }
    }
}

extension CatalogModel {
    /// As `ProviderEndpoints` describes it: a name, or an object.
    fileprivate init(_ value: JSONValue, name: String, of provider: StoredProvider) {
        func price(_ field: StaticString) -> Int? {
            // A dollar for a million tokens is a million pico-dollars for a token.
            value[field]?.double.map { Int(($0 * 1_000_000).rounded()) }
        }
        func names<Name: RawRepresentable<String>>(_ field: StaticString) -> [Name]? {
            value[field].map { $0.elements.compactMap { $0.string.flatMap(Name.init(rawValue:)) } }
        }
        let last = name.split(separator: "/").last.map(String.init) ?? name
        self.init(
            provider.name, name,
            mode: value["mode"]?.string.flatMap(CatalogModel.Mode.init(rawValue:)) ?? .chat,
            verifiedOn: provider.createdAt
        ) { model in
            model.slug = last.lowercased()
            model.family = String(last.prefix(100))
            model.title = value["title"]?.string ?? last
            model.contextTokens = value["context_tokens"]?.int
            model.maxOutputTokens = value["max_output_tokens"]?.int
            model.capabilities = names("capabilities") ?? []
            model.inputModalities = names("input_modalities") ?? [.text]
            let (input, output) = (price("input_price"), price("output_price"))
            if input != nil || output != nil {
                model.prices = [ModelPrice(from: provider.createdAt, input: input, output: output)]
            }
        }
    }
}
