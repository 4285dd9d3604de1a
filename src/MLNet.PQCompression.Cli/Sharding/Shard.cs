using System.Globalization;
using MLNet.PQCompression.Cli.Terminal;

namespace MLNet.PQCompression.Cli.Sharding;

/// <summary>One of several parts of a set of images, which are scored apart and merged.</summary>
/// <param name="Index">Its number, from 0.</param>
/// <param name="Count">How many there are.</param>
internal readonly record struct Shard(int Index, int Count)
{
    /// <summary>The shard that stands at "I/N", or null where that is none.</summary>
    public static Shard? Parse(string text) =>
        text.Split('/') is [var first, var second]
        && int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out int index) && int.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out int count)
        && index < count ? new(index, count) : null;

    /// <summary>The shard that is asked for; else the one that a scheduler's variables name; else all.</summary>
    /// <param name="given">--shard, or null.</param>
    /// <param name="count">--shards, or null.</param>
    /// <param name="variable">Gives an environment variable, or null.</param>
    /// <exception cref="UsageException">They contradict each other, or say too little.</exception>
    public static Shard Choose(Shard? given, int? count, Func<string, string?> variable)
    {
        if (given is { } shard)
            return count is null || count == shard.Count ? shard : throw new UsageException($"--shard {shard.Index}/{shard.Count} is not one of --shards {count}.");
        (string name, int? index) = Number("SLURM_ARRAY_TASK_ID") is { } task ? ("SLURM_ARRAY_TASK_ID", task) : ("JOB_COMPLETION_INDEX", Number("JOB_COMPLETION_INDEX"));
        if (index is null)
            return count is null or 1 ? new(0, 1) : throw new UsageException($"--shards {count}: which of them is this? Give --shard I/{count}, or set JOB_COMPLETION_INDEX to I (0 to {count - 1}).");
        if (count is null && (name == "JOB_COMPLETION_INDEX" || Number("SLURM_ARRAY_TASK_MIN") is not (null or 0)))
            throw new UsageException($"{name} is {index}, but of how many shards? Give --shards N.");
        int all = count ?? Number("SLURM_ARRAY_TASK_COUNT") ?? throw new UsageException($"{name} is {index}, but SLURM_ARRAY_TASK_COUNT is not set: give --shards N.");
        return index < all ? new(index.Value, all) : throw new UsageException($"{name} is {index}, and the last of {all} shards is {all - 1}: number them from 0, as with --array=0-{all - 1}.");

        int? Number(string key) => variable(key) is not { Length: > 0 } text ? null
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value
            : throw new UsageException($"The environment variable {key} is '{text}', which is no number.");
    }

    /// <summary>"2 of 8", counted from 0 as the options are.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Index} of {Count}");
}
