import Base
package import HTTPWire

/// The route table, built once. Of several patterns that take a path the one wins that has a literal segment where they first
/// differ, or else a parameter rather than all that is left; in which order they are listed does not matter.
package struct Router: Sendable {
    package let routes: [Route]
    private let tree: RouteTree

    package init(_ routes: [Route]) throws(RouterFault) {
        var tree = RouteTree()
        var names = Set<String>()
        for (index, route) in routes.enumerated() {
            guard names.insert(route.name).inserted else { throw .duplicateName(route.name) }
            let pattern = try RoutePattern(route.pattern)
            guard tree.insert(pattern, route.method, index) else {
                throw .duplicate("\(route.method) \(route.pattern)")
            }
        }
        self.routes = routes
        self.tree = tree
    }

    /// What a path and a method lead to.
    package enum Match: Sendable {
        case route(Route, PathParameters)
        case notFound
        /// The path is known, the method is not; the methods it has, for `Allow`.
        case wrongMethod(allow: String)
        /// OPTIONS where no route answers it.
        case options(allow: String)
        /// A parameter that is not text.
        case malformed
    }

    package func match(_ request: RequestHead) -> Match {
        if request.method == .options, request.path.elementsEqual([0x2A]) {
            return .options(allow: MethodTable.allow(HTTPMethod.allCases))
        }
        var ranges: [Range<Int>] = []
        guard let leaf = request.withPath({ tree.find($0, &ranges) }) else { return .notFound }
        let method = request.method
        var index = leaf[method]
        if index == nil, method == .head { index = leaf[.get] }
        guard let index else {
            return method == .options ? .options(allow: leaf.allow) : .wrongMethod(allow: leaf.allow)
        }
        let route = routes[index]
        if ranges.isEmpty { return .route(route, PathParameters()) }
        var parameters = PathParameters()
        let path = request.path
        for (name, range) in zip(leaf.names(of: index), ranges) {
            let start = path.startIndex + range.lowerBound
            guard let value = PercentCoding.decode(path[start..<start + range.count]) else {
                return .malformed
            }
            parameters.append(name, value)
        }
        return .route(route, parameters)
    }
}

extension Router.Match {
    /// The route for an exchange that this leads from, with all that can be refused before its handler runs; `nil` when it
    /// was answered.
    func route(_ exchange: Exchange) throws -> Route? {
        switch self {
        case .route(let route, let parameters):
            exchange.route = route
            exchange.parameters = parameters
        case .notFound:
            throw Problem(.notFound, code: "not_found", "There is nothing at this address.")
        case .malformed:
            throw Problem(.invalidRequest, code: "invalid_path", "The address is not valid UTF-8.")
        case .wrongMethod(let allow):
            exchange.responseFields.append("Allow", allow)
            throw Problem(.methodNotAllowed, code: "method_not_allowed", "This address takes \(allow).")
        case .options(let allow):
            exchange.respond(204, ["Allow": allow])
            return nil
        }
        return try mayBegin(exchange) ? exchange.route : nil
    }

    private func mayBegin(_ exchange: Exchange) throws -> Bool {
        let request = exchange.request
        if request.framing == .none, request.expectation == .none { return true }
        if request.expectation == .unsupported {
            exchange.respond(
                417, ["Content-Type": "application/json"],
                body: ProblemBody.bytes(
                    code: "expectation_failed", message: "The expectation is not known here."))
            return false
        }
        if request.hasContentCoding {
            throw Problem(
                .unsupportedMediaType, code: "unsupported_content_encoding",
                "Compressed request bodies are not taken. Send the body as it is.")
        }
        if case .length(let length) = request.framing, length > exchange.bodyLimit {
            throw Problem.tooLarge(exchange.bodyLimit)
        }
        return true
    }
}

/// Why a table of routes is no table.
package enum RouterFault: Error, Equatable, Sendable {
    case invalidPattern(String)
    case duplicate(String)
    case duplicateName(String)
}
