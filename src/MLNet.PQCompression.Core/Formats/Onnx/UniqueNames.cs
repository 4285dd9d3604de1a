namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>Gives names that nothing else has: the one that is asked for, or that with ".2", ".3", … behind it. Many that ask for one name cost no more than others.</summary>
internal sealed class UniqueNames
{
    // The number to try next behind each name that is taken.
    private readonly Dictionary<string, int> _next = new(StringComparer.Ordinal);

    /// <summary>A name of its own.</summary>
    public string Take(string name)
    {
        if (_next.TryAdd(name, 2))
            return name;
        string unique;
        int number = _next[name];
        do
            unique = name + "." + number++;
        while (!_next.TryAdd(unique, 2));
        _next[name] = number;
        return unique;
    }

    /// <summary>Gives a name back that is not needed after all.</summary>
    public void Release(string name) => _next.Remove(name);
}
