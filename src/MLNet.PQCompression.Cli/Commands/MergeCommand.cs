using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using MLNet.PQCompression.Cli.Sharding;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli.Commands;

/// <summary>mlnet-pq merge.</summary>
internal sealed class MergeCommand : ToolCommand
{
    private readonly Argument<string> _folder = new("FOLDER") { Description = "Where evaluate or predict wrote the shards, with --results FOLDER." };
    private readonly Option<string?> _output = new("--output") { HelpName = "FILE", Description = "Write the images' results there in order: .jsonl, a line of JSON each, or .csv." };
    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace the output where it exists." };

    public MergeCommand()
        : base("merge", "Puts the shards of evaluate or predict together: the result of one machine that scored all images.",
            "mlnet-pq merge scores/",
            "mlnet-pq merge predictions/ --output predictions.csv")
    {
        AddSymbols(_folder, _output, _overwrite);
    }

    protected override void Execute(ParseResult arguments, ToolConsole console)
    {
        long start = Stopwatch.GetTimestamp();
        var shards = ShardSet.Open(arguments.GetRequiredValue(_folder));
        var skipped = new List<SkippedImage>();
        if (arguments.GetValue(_output) is { } output)
            AtomicFile.Write(output, arguments.GetValue(_overwrite), MergedFile.Writer(output, shards.Lines()));
        if (shards.Header.Command == "evaluate")
        {
            EvaluationReport report = EvaluationReport.Of(Found(l => l.Score), shards.Header.Teacher is not null) with { Skipped = skipped, Seconds = Seconds() };
            console.WriteResult(() => EvaluateCommand.Describe(report), report.ToJson);
        }
        else if (shards.Header.Engine is { } engine)
        {
            var result = new OutputsResult(engine, [.. Found(l => l.Outputs)], skipped, Seconds());
            console.WriteResult(() => OutputPredictions.Describe(result), () => JsonSerializer.Serialize(result, ToolJson.Default.OutputsResult));
        }
        else
        {
            var result = new PredictionResult([.. Found(l => l.Prediction)], skipped, Seconds());
            console.WriteResult(() => PredictCommand.Describe(result), () => JsonSerializer.Serialize(result, ToolJson.Default.PredictionResult));
        }

        double Seconds() => Stopwatch.GetElapsedTime(start).TotalSeconds;

        IEnumerable<T> Found<T>(Func<ShardLine, T?> of)
            where T : class
        {
            foreach (ShardLine line in shards.Lines())
            {
                console.CancellationToken.ThrowIfCancellationRequested();
                if (of(line) is { } found)
                    yield return found;
                else if (line.Skipped is { } image)
                    skipped.Add(image);
                else
                    throw new InvalidDataException($"Image {line.Index} of the shards holds no result of {shards.Header.Command}: they are of another version of this tool.");
            }
        }
    }
}
