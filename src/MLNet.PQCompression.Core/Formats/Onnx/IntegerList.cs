namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>Integers of a message, as many as come. (The List of the runtime would be compiled for them when a process loads its first model.)</summary>
internal sealed class IntegerList
{
    private long[]? _items;

    /// <summary>The number of integers.</summary>
    public int Count { get; private set; }

    /// <summary>An integer.</summary>
    public long this[int index] => index < Count ? _items![index] : throw new ArgumentOutOfRangeException(nameof(index));

    /// <summary>Adds an integer.</summary>
    public void Add(long value)
    {
        if (_items is null || Count == _items.Length)
        {
            var larger = new long[Math.Max(4, 2 * Count)];
            for (int i = 0; i < Count; i++)
                larger[i] = _items![i];
            _items = larger;
        }
        _items[Count++] = value;
    }

    /// <summary>A copy of all.</summary>
    public long[] ToArray()
    {
        var copy = new long[Count];
        for (int i = 0; i < copy.Length; i++)
            copy[i] = _items![i];
        return copy;
    }
}
