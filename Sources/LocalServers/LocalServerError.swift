/// Why a local server cannot run, in words for the person who started it.
package struct LocalServerError: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
