/// A change to one place of a document; the rest stays as it was written, byte by byte.
package struct JSONEdit: Sendable {
    let path: [JSONPathStep]
    let change: Change

    enum Change: Sendable {
        case set([UInt8])
        case replace([UInt8])
        case remove
        case append([UInt8])
        case prepend([UInt8])
    }

    private init(_ path: [JSONPathStep], _ change: Change) {
        precondition(path.count <= JSONDocument.maximumDepth, "no document is that deep")
        self.path = path
        self.change = change
        if let raw = change.raw { assert((try? JSONDocument(parsing: raw)) != nil, "not a JSON value") }
    }

    /// Replaces the value at `path`, or adds the member behind the others if its object has none of that name.
    package static func set(_ path: [JSONPathStep], _ raw: [UInt8]) -> JSONEdit { JSONEdit(path, .set(raw)) }

    /// Replaces the value at `path`; changes nothing when there is none.
    package static func replace(_ path: [JSONPathStep], _ raw: [UInt8]) -> JSONEdit {
        JSONEdit(path, .replace(raw))
    }

    /// Removes the member or element at `path` with one comma; changes nothing when there is none.
    package static func remove(_ path: [JSONPathStep]) -> JSONEdit {
        precondition(!path.isEmpty, "a document cannot be removed from itself")
        return JSONEdit(path, .remove)
    }

    /// Adds an element at the end of the array at `path`.
    package static func append(_ path: [JSONPathStep], _ raw: [UInt8]) -> JSONEdit {
        JSONEdit(path, .append(raw))
    }

    /// Adds an element at the start of the array at `path`.
    package static func prepend(_ path: [JSONPathStep], _ raw: [UInt8]) -> JSONEdit {
        JSONEdit(path, .prepend(raw))
    }
}

extension JSONEdit.Change {
    var raw: [UInt8]? {
        switch self {
        case .set(let raw), .replace(let raw), .append(let raw), .prepend(let raw): raw
        case .remove: nil
        }
    }
}

/// A step from a value to one inside it.
package enum JSONPathStep: Hashable, Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    case key(String)
    case index(Int)

    package init(stringLiteral key: String) { self = .key(key) }
    package init(integerLiteral index: Int) { self = .index(index) }
}

/// Why edits cannot be made.
package enum JSONEditError: Error, Equatable, Sendable {
    /// The object or array to change is not there, or is something else. The path of the edit.
    case noSuchPlace([JSONPathStep])
    /// Two edits change the same value, or one changes what is inside the other's.
    case conflict([JSONPathStep])
}
