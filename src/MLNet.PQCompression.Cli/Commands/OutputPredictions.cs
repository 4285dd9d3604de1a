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
internal sealed class OutputPredictions : IDisposable
{
    private const int Shown = 8;

    private readonly ImageSampleSource _samples;
    private readonly IScoringSession _session;
    private readonly TensorShape _size;

    public OutputPredictions(ModelGraph model, ImageSampleSource samples, int threads)
    {
        (_samples, _size, BatchSize) = (samples, new(samples.Channels, samples.Height, samples.Width), model.Origin?.FixedBatch ?? 1);
        _session = ScoringSessions.Create(model, _size, threads, new OnnxRuntimeEngine());
    }

    /// <summary>What runs the network.</summary>
    public string Engine => _session.Engine;

    /// <summary>Images that are scored together.</summary>
    public int BatchSize { get; }

    /// <summary>Scores the images as the caller asks for them.</summary>
    public IEnumerable<ImageOutputs> Run(IProgress<ProgressStep> progress, CancellationToken cancellationToken)
    {
        int done = 0;
        foreach (SampleBatch batch in _samples.Read(BatchSize, cancellationToken))
        {
            var input = new Activation(new([batch.Count, .. _size.Dimensions]), batch.Data[..(int)(batch.Count * _size.Count)].ToArray());
            yield return new(string.Join(", ", batch.Names.Take(batch.Count)), [.. _session.Run(input).Select(o => Describe(o.Key, o.Value))]);
            progress.Report(new((double)++done / _samples.Count!.Value, $"{done} of {_samples.Count} images"));
        }
    }

    public void Dispose() => _session.Dispose();

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
