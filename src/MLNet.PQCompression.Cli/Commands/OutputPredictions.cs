using System.Globalization;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.OnnxRuntime;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli.Commands;

/// <summary>What a network that is no classifier gives for images, output by output.</summary>
internal static class OutputPredictions
{
    private const int Shown = 8;

    public static (string Engine, List<ImageOutputs> Images) Run(ModelGraph model, ImageSampleSource samples, int threads, IProgress<ProgressStep> progress, CancellationToken cancellationToken)
    {
        var size = new TensorShape(samples.Channels, samples.Height, samples.Width);
        using IScoringSession session = ScoringSessions.Create(model, size, threads, new OnnxRuntimeEngine());
        var images = new List<ImageOutputs>();
        foreach (SampleBatch batch in samples.Read(model.Origin?.FixedBatch ?? 1, cancellationToken))
        {
            var input = new Activation(new([batch.Count, .. size.Dimensions]), batch.Data[..(int)(batch.Count * size.Count)].ToArray());
            images.Add(new(string.Join(", ", batch.Names.Take(batch.Count)), [.. session.Run(input).Select(o => Describe(o.Key, o.Value))]));
            progress.Report(new((double)images.Count / samples.Count!.Value, $"{images.Count} of {samples.Count} images"));
        }
        return (session.Engine, images);
    }

    public static string Describe(OutputsResult result)
    {
        var table = new TextTable("image", "output", "shape", "values");
        foreach (ImageOutputs image in result.Images)
            foreach ((int i, PredictedOutput output) in image.Outputs.Index())
                table.Add(i == 0 ? image.Image : "", output.Name, output.Text is null ? string.Join('×', output.Shape) : "", output.Text ?? Numbers(output));
        return $"{table}scored by {result.Engine}\n";
    }

    private static PredictedOutput Describe(string name, Activation value) => value is ForeignValue foreign
        ? new(name, [], [], foreign.Describe())
        : new(name, value.Shape.Dimensions, value.Span[..Math.Min(Shown, value.Span.Length)].ToArray(), null);

    private static string Numbers(PredictedOutput output) =>
        string.Join(' ', output.First.Select(v => v.ToString("G4", CultureInfo.InvariantCulture))) + (output.Shape.Aggregate(1L, (p, d) => p * d) > output.First.Count ? " …" : "");
}
