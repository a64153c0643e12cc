import Base
import HTTPWire
import Providers

/// The providers that the environment sets up: those whose key is there, and servers of the house whose address is.
struct ProviderSettings {
    private(set) var upstreams: [Upstream.Settings] = []

    init(_ reader: inout EnvironmentReader) {
        for preset in ProviderPreset.all where preset.isSpoken {
            if let settings = Self.settings(preset, &reader) { upstreams.append(settings) }
        }
    }

    private static func settings(
        _ preset: ProviderPreset, _ reader: inout EnvironmentReader
    ) -> Upstream.Settings? {
        let keys = keys(preset, &reader)
        var preset = preset
        var given = firstSet(preset.baseURLEnvironment, &reader) { reader, name in
            reader.optionalText(name, "the server for models \(preset.name)/…")
        }
        if given == nil, !keys.isEmpty, let place = place(behindEndpointOf: preset, &reader) {
            (preset, given) = place
        }
        guard !keys.isEmpty || preset.isKeyOptional && given != nil else {
            // What is said of a provider must make sense, also where its key is still to come.
            if let given, (try? URLAddress(given)) == nil { faultURL(preset, &reader) }
            return nil
        }
        var values: [String: String] = [:]
        for placeholder in preset.placeholders {
            values[placeholder.name] = firstSet(placeholder.environment, &reader) { reader, name in
                reader.optionalText(name, "the \(placeholder.name) of models \(preset.name)/…")
            }
        }
        do throws(Upstream.Settings.Misfit) {
            return try Upstream.Settings(preset, baseURL: given, values: values, keys: keys)
        } catch {
            fault(error, preset, &reader)
            return nil
        }
    }

    /// Where an environment has the host alone, and says by a version of the API which addresses it means.
    private static func place(
        behindEndpointOf preset: ProviderPreset, _ reader: inout EnvironmentReader
    ) -> (ProviderPreset, String?)? {
        guard let endpoint = preset.endpoint,
            let host = firstSet(
                endpoint.environment, &reader,
                { reader, name in
                    reader.optionalText(name, "the host for models \(preset.name)/…, without a path")
                })
        else { return nil }
        let version = firstSet(endpoint.versionEnvironment, &reader) { reader, name -> DeploymentAddress? in
            let text = reader.optionalText(
                name, "the version by which deployments are asked; without one, addresses are as OpenAI's")
            // Of these versions Azure's addresses are as OpenAI's.
            guard let text, !["v1", "preview", "latest"].contains(text) else { return nil }
            let address = DeploymentAddress(version: text)
            if address == nil { reader.fault(name, "must be a version, such as 2024-10-21") }
            return address
        }
        let (preset, baseURL) = preset.behind(endpoint: host, deployments: version)
        return (preset, baseURL)
    }

    /// Names the variable to set, and why.
    private static func fault(
        _ misfit: Upstream.Settings.Misfit, _ preset: ProviderPreset, _ reader: inout EnvironmentReader
    ) {
        let places = preset.placeholders.flatMap(\.environment)
        switch misfit {
        case .needsBaseURL:
            reader.fault(
                (preset.baseURLEnvironment + places).first ?? preset.name,
                "is needed for \(preset.title), whose key is set: where is it?")
        case .invalidBaseURL: faultURL(preset, &reader)
        case .needsRegion:
            reader.fault(
                places.first ?? preset.name,
                "is needed to sign requests to \(preset.title): where is it?")
        case .invalidKey:
            reader.fault(preset.keyEnvironment.first ?? preset.name, "must not contain a colon")
        }
    }

    private static func faultURL(_ preset: ProviderPreset, _ reader: inout EnvironmentReader) {
        let names = preset.baseURLEnvironment + (preset.endpoint?.environment ?? [])
        reader.fault(
            names.first { reader.has($0) } ?? preset.name,
            "must be an http or https URL, such as \(preset.baseURL ?? "https://provider.example")")
    }

    /// Several keys of one account are separated by commas: they take turns.
    private static func keys(_ preset: ProviderPreset, _ reader: inout EnvironmentReader) -> [Secret] {
        if case .signatureV4 = preset.authorization {
            let parts = preset.keyEnvironment.compactMap { name in
                reader.has(name) ? reader.secret(name, "the key for models \(preset.name)/…")?.reveal() : nil
            }
            return parts.count >= 2 ? [Secret(parts.joined(separator: ":"))] : []
        }
        let key = firstSet(preset.keyEnvironment, &reader) { reader, name in
            reader.secret(name, "the key for models \(preset.name)/…; several are separated by commas")
        }
        return (key?.reveal().split(separator: ",") ?? []).map { Secret(String($0)) }
    }

    private static func firstSet<Value>(
        _ names: [String], _ reader: inout EnvironmentReader,
        _ read: (inout EnvironmentReader, String) -> Value?
    ) -> Value? {
        guard let name = names.first(where: { reader.has($0) }) else { return nil }
        return read(&reader, name)
    }
}
