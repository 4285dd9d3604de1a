namespace MLNet.PQCompression.Cli.Configuration;

/// <summary>"Did you mean …": the known name nearest to one that is not known.</summary>
internal static class Suggestion
{
    /// <summary>" (did you mean 'name'?)", or nothing where none is near.</summary>
    public static string For(string unknown, IEnumerable<string> known)
    {
        string? nearest = known.OrderBy(k => Distance(unknown, k)).ThenBy(k => k, StringComparer.Ordinal).FirstOrDefault();
        return nearest is not null && Distance(unknown, nearest) <= Math.Max(1, Math.Min(unknown.Length, nearest.Length) / 3) ? $" (did you mean '{nearest}'?)" : "";
    }

    /// <summary>Insertions, deletions, replacements and swaps of neighbours that make one word of the other (Damerau 1964).</summary>
    internal static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
            for (int j = 0; j <= b.Length; j++)
                if (i == 0 || j == 0)
                    d[i, j] = i + j;
                else
                {
                    bool same = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]);
                    d[i, j] = Math.Min(Math.Min(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + (same ? 0 : 1));
                    if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                        d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
                }
        return d[a.Length, b.Length];
    }
}
