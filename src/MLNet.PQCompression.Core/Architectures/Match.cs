using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Architectures;

/// <summary>How a state dict fits a network, with what a wrapper put before its names left out.</summary>
/// <param name="State">The tensors under the network's names.</param>
/// <param name="Prefix">What was left out.</param>
/// <param name="Misfit">What keeps it from being the network's.</param>
internal sealed record Match(StateDict State, string Prefix, Misfit Misfit)
{
    private const int MaxPrefixes = 16;

    /// <summary>The best of the names as they are and those behind every prefix that stands before both the first and the last weight of the network.</summary>
    /// <exception cref="InvalidModelException">The state dict holds several networks that fit.</exception>
    public static Match Find(NetworkDefinition network, StateDict state)
    {
        var best = new Match(state, "", network.Compare(state));
        if (best.Misfit.Count == 0)
            return best;
        (string first, string last) = (network.Parameters.Keys.First(), network.Parameters.Keys.Last());
        foreach (string prefix in state.Keys.Where(k => k.EndsWith("." + first, StringComparison.Ordinal)).Select(k => k[..^first.Length])
            .Where(p => state.ContainsKey(p + last)).Take(MaxPrefixes))
        {
            var inner = new StateDict(state.Source, state.Where(t => t.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(t => KeyValuePair.Create(t.Key[prefix.Length..], t.Value)));
            var match = new Match(inner, prefix, network.Compare(inner));
            if (match.Misfit.Count == 0 && best.Misfit.Count == 0)
                throw new InvalidModelException($"{state.Source} holds two networks, under '{best.Prefix}' and '{prefix}'; save the state dict of one.");
            if (match.Misfit.Count < best.Misfit.Count)
                best = match;
        }
        return best;
    }

    public override string ToString() => Prefix.Length > 0 ? $"without the '{Prefix}' before its names, {Misfit}"
        : CommonPrefix() is { Length: > 0 } common ? $"all its {State.Count} names begin with '{common}'; {Misfit}"
        : Misfit.ToString();

    private string CommonPrefix()
    {
        string? common = null;
        foreach (string name in State.Keys)
        {
            int dot = name.IndexOf('.');
            if (dot < 0 || common is not null && !name.StartsWith(common, StringComparison.Ordinal))
                return "";
            common ??= name[..(dot + 1)];
        }
        return State.Count > 1 ? common ?? "" : "";
    }
}
