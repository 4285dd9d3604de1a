using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MLNet.PQCompression.Cli.Sharding;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>--results, --shard and --shards: each image's result in a file, of all images or of a part of them.</summary>
internal sealed class ShardArguments
{
    private readonly Option<string?> _folder = new("--results") { HelpName = "FOLDER", Description = "Write each image's result there, a line of JSON each; merge puts the files of all shards together." };
    private readonly Option<Shard?> _shard = new("--shard")
    {
        HelpName = "I/N",
        Description = "With --results: score part I of N only, I from 0. [default: from SLURM_ARRAY_TASK_ID and _COUNT, or JOB_COMPLETION_INDEX with --shards]",
        CustomParser = result =>
        {
            if (Shard.Parse(result.Tokens[0].Value) is { } shard)
                return shard;
            result.AddError($"--shard '{result.Tokens[0].Value}': expected I/N with I from 0 to N-1, such as 0/8.");
            return null;
        },
    };

    private readonly Option<int?> _count = new Option<int?>("--shards") { HelpName = "N", Description = "With --results: how many parts there are, where the environment says which this is." }.AtLeast(1);

    public IReadOnlyList<Option> All => [_folder, _shard, _count];

    /// <summary>What to write and of which images, or null where the result goes to the screen.</summary>
    /// <exception cref="UsageException">A shard is asked for without a folder, or it cannot be told which.</exception>
    /// <exception cref="IOException">Nothing can be written in the folder.</exception>
    public ShardWork? Read(ParseResult arguments, ImageSource images)
    {
        (string? folder, Shard? shard, int? count) = (arguments.GetValue(_folder), arguments.GetValue(_shard), arguments.GetValue(_count));
        if (folder is null)
            return shard is null && count is null ? null : throw new UsageException("--shard and --shards need --results FOLDER, where each shard's file is written.");
        Shard chosen = Shard.Choose(shard, count, Environment.GetEnvironmentVariable);
        AtomicFile.CheckFolder(folder);
        return new(folder, chosen, images);
    }
}

/// <summary>A shard that is to be scored and written.</summary>
internal sealed class ShardWork
{
    private readonly string _folder;
    private readonly Shard _shard;
    private readonly ImageSource _all;
    private readonly IReadOnlyList<int> _places;

    public ShardWork(string folder, Shard shard, ImageSource all)
    {
        (_folder, _shard, _all) = (folder, shard, all);
        (Images, _places) = all.Shard(shard.Index, shard.Count);
    }

    /// <summary>Its images.</summary>
    public ImageSource Images { get; }

    /// <summary>Scores them, and writes what is found.</summary>
    /// <param name="command">The command's name.</param>
    /// <param name="model">The model's file.</param>
    /// <param name="teacher">The teacher's file, or null.</param>
    /// <param name="engine">What scores outputs that are no classes, or null.</param>
    /// <param name="settings">What else decides the result.</param>
    /// <param name="samples">The images, decoded.</param>
    /// <param name="work">Adds each image.</param>
    public T Write<T>(string command, string model, string? teacher, string? engine, string settings, ImageSampleSource samples, Func<ShardFile, T> work)
    {
        string names = string.Concat(_all.Images.Select(i => string.Create(CultureInfo.InvariantCulture, $"{i.Label} {i.Name}\n")));
        var header = new ShardHeader(
            _shard.Index, Images.Count, _shard.Count, command, ModelArguments.Sha256(model), teacher is null ? null : ModelArguments.Sha256(teacher), engine, settings,
            _all.Count, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(names))));
        return ShardFile.Write(_folder, header, Images, _places, samples, work);
    }

    /// <summary>What was written, for a person to read.</summary>
    public override string ToString() => $"{Path.Combine(_folder, ShardFile.NameOf(_shard.Index, _shard.Count))}: shard {_shard}, {Images.Count} of {_all.Count} images\n";
}
