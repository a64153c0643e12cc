import Base

/// A library of Redis functions, versioned by its source: processes of different versions use one Redis side by side.
///
/// The library's name ends in the first eight hexadecimal digits of the source's SHA-256. Function names are shared by
/// all libraries of a server, so the source registers each with the suffix that it finds in the local `suffix`:
///
///     redis.register_function('admit' .. suffix, admit)
package struct RedisLibrary: Hashable, Sendable {
    package let name: String
    /// `_` and the version.
    package let suffix: String
    /// What `FUNCTION LOAD` gets: the source behind one line of heading.
    package let code: [UInt8]

    package init(name: String, source: String) {
        let digest = Digest.sha256(Array(source.utf8))
        let version = String(hex: digest.prefix(4))
        self.name = "\(name)_\(version)"
        suffix = "_\(version)"
        code = Array("#!lua name=\(self.name)\nlocal suffix = '\(suffix)' \(source)".utf8)
    }

    package static func == (left: RedisLibrary, right: RedisLibrary) -> Bool { left.name == right.name }
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }

    /// The function that the source registers as `name .. suffix`.
    package func function(_ name: String) -> RedisFunction { RedisFunction(name: name + suffix) }

    /// Replaces what is there under the same name, which is the same code.
    var loadCommand: RedisCommand { RedisCommand("FUNCTION", "LOAD", "REPLACE", .bytes(code)) }
}

package struct RedisFunction: Hashable, Sendable {
    /// As Redis knows it, version included.
    package let name: String
}

extension RedisCommand {
    /// `FCALL` with room for `keyCount` keys; add those first, then the arguments.
    package init(calling function: RedisFunction, keyCount: Int, room: Int = usualSize) {
        self.init("FCALL", room: room)
        add(function.name)
        add(keyCount)
    }

    /// `FCALL_RO`: for functions that register as `no-writes`.
    package init(reading function: RedisFunction, keyCount: Int) {
        self.init("FCALL_RO")
        add(function.name)
        add(keyCount)
    }
}

extension RedisClient {
    /// A pipeline with calls of a library's functions in it. Where Redis does not know the function (it was flushed, or
    /// another server took over) the library is loaded and those commands, which did nothing, are sent once more.
    package func pipeline(
        _ commands: [RedisCommand], using library: RedisLibrary, timeout: Duration? = nil,
        waitsForConnection: Bool = false
    ) async throws(RedisError) -> [RedisValue] {
        let deadline = Instant.now() + (timeout ?? options.timeout)
        let position = nextPosition
        var values = try await pipeline(commands, timeout: timeout, waitsForConnection: waitsForConnection)
        let missing = values.indices.filter { values[$0].error?.kind == .functionNotFound }
        if missing.isEmpty { return values }

        var again = missing.map { commands[$0] }
        let mustLoad = !isLoaded(library, since: position)
        if mustLoad {
            again.insert(library.loadCommand, at: 0)
            loads[library.name] = nextPosition
        }
        var answers = try await pipeline(again, timeout: deadline - .now())[...]
        if mustLoad, let error = answers.removeFirst().error { throw RedisError(error) }
        for (index, answer) in zip(missing, answers) { values[index] = answer }
        return values
    }

    /// Calls one function; an error answer is thrown.
    package func send(
        _ command: RedisCommand, using library: RedisLibrary, timeout: Duration? = nil,
        waitsForConnection: Bool = false
    ) async throws(RedisError) -> RedisValue {
        let values = try await pipeline(
            [command], using: library, timeout: timeout, waitsForConnection: waitsForConnection)
        if let error = values[0].error { throw RedisError(error) }
        return values[0]
    }

    private var nextPosition: Load { Load(attempt: link.attempt, position: link.wire?.appended ?? 0) }

    /// Whether somebody has sent the library on this connection after our command: what is sent now comes behind it,
    /// and a burst of calls that all miss the function loads it once.
    private func isLoaded(_ library: RedisLibrary, since position: Load) -> Bool {
        guard let load = loads[library.name] else { return false }
        return load.attempt == position.attempt && load.attempt == link.attempt
            && load.position >= position.position
    }
}
