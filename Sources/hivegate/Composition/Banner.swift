import Base
import Glibc

/// What a person who has just started the server needs to know.
enum Banner {
    /// The key is shown to a person. Where the output goes to a log, it says where the key is.
    static func show(_ credentials: Credentials, in directory: String) {
        guard isatty(1) == 1 else {
            show(url: credentials.url)
            return Console.print(
                "The API key and the owner's password are in \(Credentials.path(in: directory))")
        }
        let key = credentials.key.reveal()
        Console.print(
            """

            Hivegate \(Version.current) is ready on \(credentials.url)

              API key  \(key)
              Owner    \(credentials.ownerEmail), password in \(Credentials.path(in: directory))

            Try it:

              curl \(credentials.url)/v1/chat/completions \\
                -H 'Authorization: Bearer \(key)' \\
                -H 'Content-Type: application/json' \\
                -d '{"model": "sandbox/story", "messages": [{"role": "user", "content": "Tell me a story."}]}'

            """)
    }

    static func show(url: String) {
        Console.print("Hivegate \(Version.current) is ready on \(url)")
    }
}
