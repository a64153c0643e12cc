import Base

/// A command in the protocol's own form; arguments may hold any bytes.
///
///     var command = RedisCommand("SET")
///     command.add(key)
///     command.add(bytes)
package struct RedisCommand: Sendable {
    /// The arguments, encoded; the number of them goes in front when the command is sent.
    private(set) var arguments: [UInt8] = []
    private(set) var count = 0

    /// Room for the name and a few short arguments without growing.
    private static let usualSize = 96

    package init(_ name: StaticString) {
        arguments.reserveCapacity(Self.usualSize)
        add(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }

    package init(_ name: StaticString, _ arguments: Argument...) {
        self.init(name)
        for argument in arguments { add(argument) }
    }

    package enum Argument: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
        case text(String)
        case bytes([UInt8])
        case integer(Int)

        package init(stringLiteral text: String) { self = .text(text) }
        package init(integerLiteral integer: Int) { self = .integer(integer) }
    }

    package mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
    }

    package mutating func add(_ bytes: [UInt8]) { bytes.withUnsafeBytes { add($0) } }

    package mutating func add(_ bytes: ArraySlice<UInt8>) { bytes.withUnsafeBytes { add($0) } }

    package mutating func add(_ integer: Int) {
        let magnitude = integer.magnitude
        var digits = integer < 0 ? 2 : 1
        var bound: UInt = 10
        while digits < 20, magnitude >= bound {
            digits += 1
            let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
            if overflow { break }
            bound = next
        }
        beginArgument(digits)
        arguments.append(decimal: integer)
        endArgument()
    }

    package mutating func add(_ argument: Argument) {
        switch argument {
        case .text(let text): add(text)
        case .bytes(let bytes): add(bytes)
        case .integer(let integer): add(integer)
        }
    }

    /// Adds what was encoded before.
    package mutating func add(_ arguments: RedisArguments) {
        count += arguments.count
        self.arguments.append(contentsOf: arguments.bytes)
    }

    /// Appends the whole command as it goes over the wire.
    package func encode(to output: inout [UInt8]) {
        output.append(0x2A)
        output.append(decimal: count)
        output.append(0x0D)
        output.append(0x0A)
        output.append(contentsOf: arguments)
    }

    /// How many bytes it takes on the wire, at most.
    var encodedCount: Int { arguments.count + 24 }

    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        beginArgument(bytes.count)
        arguments.append(bytes)
        endArgument()
    }

    private mutating func beginArgument(_ length: Int) {
        count += 1
        arguments.append(0x24)
        arguments.append(decimal: length)
        arguments.append(0x0D)
        arguments.append(0x0A)
    }

    private mutating func endArgument() {
        arguments.append(0x0D)
        arguments.append(0x0A)
    }
}

/// Arguments in the protocol's own form, for those who send the same again and again.
package struct RedisArguments: Sendable {
    fileprivate var bytes: [UInt8]
    fileprivate var count: Int

    package init(_ arguments: [[UInt8]]) {
        var command = RedisCommand("")
        for argument in arguments { command.add(argument) }
        // Without the name.
        bytes = Array(command.arguments.dropFirst(Self.emptyName))
        count = arguments.count
    }

    private static let emptyName = 6
}
