/// Values are equal when they say the same, however they are written.
extension JSONValue: Equatable {
    package static func == (one: JSONValue, other: JSONValue) -> Bool {
        one.bytes == other.bytes || one.canonical() == other.canonical()
    }
}
