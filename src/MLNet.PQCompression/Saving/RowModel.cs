using System.Runtime.InteropServices;

namespace MLNet.PQCompression.Saving;

/// <summary>What the text that stands in every row of a loaded chain says, read once for all cursors and engines of the chain.</summary>
/// <param name="parse">Reads the text.</param>
internal sealed class RowModel<T>(Func<ReadOnlyMemory<char>, T> parse) where T : class
{
    private readonly Lock _gate = new();
    private volatile Parsed? _parsed;

    /// <summary>The model of a row. The look-up hands the same string to every row, so comparing references is enough.</summary>
    public T Of(ReadOnlyMemory<char> text)
    {
        MemoryMarshal.TryGetString(text, out string? source, out _, out _);
        if (_parsed is { } known && ReferenceEquals(known.Source, source))
            return known.Model;
        lock (_gate)
        {
            if (_parsed is { } meanwhile && ReferenceEquals(meanwhile.Source, source))
                return meanwhile.Model;
            return (_parsed = new(source, parse(text))).Model;
        }
    }

    private sealed record Parsed(string? Source, T Model);
}
