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
    package static let usualSize = 128

    /// - Parameter size: bytes of all arguments, if they are more than usual.
    package init(_ name: StaticString, room size: Int = usualSize) {
        arguments.reserveCapacity(size)
        add(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }

    /// What begins as others do.
    package init(_ beginning: RedisArguments, room size: Int) {
        arguments.reserveCapacity(beginning.bytes.count + size)
        add(beginning)
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
        let most = DecimalDigits.most
        withUnsafeTemporaryAllocation(byteCount: 1 + most, alignment: 1) { text in
            var start = DecimalDigits.write(integer.magnitude, before: 1 + most, in: text)
            if integer < 0 {
                start -= 1
                text[start] = 0x2D
            }
            add(UnsafeRawBufferPointer(rebasing: text[start...]))
        }
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
        output.append(atMost: encodedCount) { text in
            text.write(0x2A)
            text.write(decimal: UInt(count))
            text.write("\r\n")
            arguments.withUnsafeBytes { text.write($0) }
        }
    }

    /// How many bytes it takes on the wire, at most.
    var encodedCount: Int { arguments.count + 24 }

    /// Bytes of the arguments on the wire.
    package var size: Int { arguments.count }

    /// Puts `bytes` where others were, `place` bytes behind the start of the arguments on the wire.
    package mutating func overwrite(_ bytes: UnsafeRawBufferPointer, at place: Int) {
        arguments.withUnsafeMutableBytes { $0[place..<place + bytes.count].copyBytes(from: bytes) }
    }

    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        count += 1
        let size = UInt(bytes.count)
        // No more than there is: what is often sent would grow for it.
        arguments.append(atMost: 1 + DecimalDigits.count(of: size) + 2 + bytes.count + 2) { text in
            text.write(0x24)
            text.write(decimal: size)
            text.write("\r\n")
            text.write(bytes)
            text.write("\r\n")
        }
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

    /// All of `command`, name included.
    package init(_ command: RedisCommand) {
        bytes = command.arguments
        count = command.count
    }

    /// One behind the other.
    package init(_ parts: [RedisArguments]) {
        bytes = parts.flatMap(\.bytes)
        count = parts.reduce(0) { $0 + $1.count }
    }

    /// Bytes on the wire.
    package var size: Int { bytes.count }
}
