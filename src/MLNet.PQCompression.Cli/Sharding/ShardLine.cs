using System.Text.Json.Serialization;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli.Sharding;

/// <summary>The first line of a shard's file: what was done, and on what. All but the first two is the same in every shard.</summary>
/// <param name="Shard">Its number, from 0.</param>
/// <param name="Holds">Its images, which are as many lines.</param>
/// <param name="Shards">How many shards there are.</param>
/// <param name="Command">evaluate or predict.</param>
/// <param name="Model">SHA-256 of the model's file.</param>
/// <param name="Teacher">SHA-256 of the teacher's file, or null.</param>
/// <param name="Engine">What scores outputs that are no classes; null for classes.</param>
/// <param name="Settings">What else decides the result: preprocessing, names of classes, how many are shown.</param>
/// <param name="Images">The images of all shards.</param>
/// <param name="Names">SHA-256 of their names and labels, in order.</param>
internal sealed record ShardHeader(
    int Shard, int Holds, int Shards, string Command, string Model, string? Teacher, string? Engine, string Settings, int Images, string Names);

/// <summary>A line of a shard's file: an image, and what was found.</summary>
/// <param name="Index">Its place among the images of all shards.</param>
internal sealed record ShardLine(int Index)
{
    /// <summary>Of evaluate.</summary>
    public ImageScore? Score { get; init; }

    /// <summary>Of predict.</summary>
    public ImagePrediction? Prediction { get; init; }

    /// <summary>Of predict, for a model that is no classifier.</summary>
    public ImageOutputs? Outputs { get; init; }

    /// <summary>Why it could not be read.</summary>
    public SkippedImage? Skipped { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ShardHeader))]
[JsonSerializable(typeof(ShardLine))]
internal sealed partial class ShardJson : JsonSerializerContext;
