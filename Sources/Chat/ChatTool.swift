package import JSON

/// Something that a model may call.
package struct ChatTool: Equatable, Sendable {
    package var kind: Kind
    package var cache: ChatCacheMarker?

    package enum Kind: Equatable, Sendable {
        /// Called with an object.
        case function(Function)
        /// Called with text, which may have to follow a grammar.
        case custom(Custom)
        /// Run by the provider itself (a search of the web, say), as one dialect writes it.
        case provided(ChatDialect, type: String, JSONValue)
    }

    package struct Function: Equatable, Sendable {
        package var name: String
        package var description: String?
        /// A JSON schema; nil where there are no parameters.
        package var parameters: JSONValue?
        package var isStrict: Bool?

        package init(
            name: String, description: String? = nil, parameters: JSONValue? = nil, isStrict: Bool? = nil
        ) {
            self.name = name
            self.description = description
            self.parameters = parameters
            self.isStrict = isStrict
        }
    }

    package struct Custom: Equatable, Sendable {
        package var name: String
        package var description: String?
        package var format: JSONValue?

        package init(name: String, description: String? = nil, format: JSONValue? = nil) {
            self.name = name
            self.description = description
            self.format = format
        }
    }

    package init(_ kind: Kind, cache: ChatCacheMarker? = nil) {
        self.kind = kind
        self.cache = cache
    }

    /// The name by which it is called; nil for what a provider runs itself.
    package var name: String? {
        switch kind {
        case .function(let function): function.name
        case .custom(let custom): custom.name
        case .provided: nil
        }
    }
}

package enum ChatToolChoice: Equatable, Sendable {
    case auto, none
    /// Some tool.
    case required
    case tool(name: String)
}
