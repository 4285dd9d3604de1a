using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.PyTorch;

/// <summary>Finds the state dict in what a training program saved: the whole of it, or one of its entries beside optimizer, epoch, arguments and the like.</summary>
internal static class CheckpointContents
{
    private const int MaxDepth = 3, MaxListed = 8;

    /// <summary>The keys that programs use, the trained weights before their moving averages; what stands earlier wins.</summary>
    private static readonly string[] Known =
    [
        "state_dict", "model_state_dict", "model", "net", "network", "module", "weights", "params",
        "state_dict_ema", "model_ema", "ema_state_dict", "params_ema", "ema",
    ];

    /// <summary>The dictionary of tensors.</summary>
    /// <exception cref="InvalidModelException">There is none, or several of which none has a usual name.</exception>
    public static PickleDict Find(object? root)
    {
        if (root is not PickleDict outer)
            throw new InvalidModelException(root is PickleOpaque or PickleGlobal
                ? $"it holds {root}, a Python object that is refused: only tensors, dictionaries, lists, numbers and strings are read. Save model.state_dict() and nothing else"
                : "it does not hold a dictionary of tensors");
        var found = new List<Candidate>();
        Collect(outer, "", 0, [], found);
        if (found.Count == 0)
            throw new InvalidModelException(Refusal(outer));
        if (found[0].Path.Length == 0 && found.Exists(c => c.Rank >= 0 && c.Rank < Known.Length && c.Count > found[0].Count))
            found.RemoveAt(0); // A few tensors beside a whole state dict, such as a counter of epochs.
        Candidate best = found.MinBy(c => c.Rank)!;
        if (found.Where(c => c.Rank == best.Rank).Take(2).Count() == 1 || best.Path.Length == 0)
            return best.Tensors;
        throw new InvalidModelException(
            $"it holds several dictionaries of tensors ({string.Join(", ", found.Take(MaxListed).Select(c => $"'{c.Path}'"))}); save the state dict of one network by itself");
    }

    private static void Collect(PickleDict dictionary, string path, int depth, HashSet<object> seen, List<Candidate> found)
    {
        if (!seen.Add(dictionary))
            return;
        if (KillTheBitsCheckpoint.Detect(dictionary))
        {
            found.Add(new(path, dictionary, Rank(path)));
            return;
        }
        if (dictionary.Values.Any(v => v is PickleTensor { Shape.Rank: > 0 }))
            found.Add(new(path, dictionary, Rank(path)));
        if (depth < MaxDepth)
            foreach ((string key, object? value) in dictionary)
                if (value is PickleDict inner)
                    Collect(inner, path.Length == 0 ? key : $"{path}/{key}", depth + 1, seen, found);
    }

    /// <summary>The root's own tensors first, then the known keys in their order, then all others.</summary>
    private static int Rank(string path)
    {
        if (path.Length == 0)
            return -1;
        int known = Array.IndexOf(Known, path.Split('/', 2)[0]);
        return known >= 0 ? known : Known.Length;
    }

    private static string Refusal(PickleDict root) => root.FirstOrDefault(p => p.Value is PickleOpaque) is { Value: PickleOpaque opaque } entry
        ? $"it holds no dictionary of tensors; its entry '{entry.Key}' is {opaque}, a Python object that is refused. Save model.state_dict()"
        : "it does not hold a dictionary of tensors";

    private sealed record Candidate(string Path, PickleDict Tensors, int Rank)
    {
        public int Count => Tensors.Count;
    }
}
