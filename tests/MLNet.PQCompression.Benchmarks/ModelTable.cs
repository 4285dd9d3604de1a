using System.Diagnostics;
using System.Globalization;
using System.Numerics.Tensors;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Formats.Onnx.Schema;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.OnnxRuntime;
using MLNet.PQCompression.Reporting;
using Activation = MLNet.PQCompression.Inference.Activation;

namespace MLNet.PQCompression.Benchmarks;

/// <summary>
/// Other people's ONNX models, each in a process of its own: read, compressed from some pictures, written, and then scored here and in ONNX Runtime. A row says what came of it; what fails is a row as well.
/// </summary>
internal static class ModelTable
{
    private const int HeldOut = 16, Compared = 2;

    /// <summary>Prints a table of models.</summary>
    /// <param name="images">A folder, zip or list of pictures.</param>
    /// <param name="count">How many of them to compress from; others are compared on.</param>
    /// <param name="views">How often each is looked at.</param>
    /// <param name="models">The files.</param>
    public static int Run(string images, int count, int views, string[] models)
    {
        if (models is [var only])
        {
            Console.WriteLine(Row(only, images, count, views));
            return 0;
        }
        Console.WriteLine("| model | nodes, foreign | bytes before, after | compressed: processor s, peak MiB | inputs and outputs | written file: ONNX Runtime against here | student against teacher, mean cosine of each output | scored by; time to ONNX Runtime's |\n|---|---|---|---|---|---|---|---|");
        int failed = 0;
        foreach (string model in models)
        {
            using Process process = Process.Start(Environment.ProcessPath!, [.. Environment.GetCommandLineArgs()[..1].Where(a => a.EndsWith(".dll", StringComparison.Ordinal) && Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet"),
                "models", images, $"{count}", $"{views}", model]);
            process.WaitForExit();
            failed += process.ExitCode == 0 ? 0 : 1;
        }
        return failed;
    }

    private static string Row(string file, string images, int count, int views)
    {
        string name = Path.GetFileName(file), written = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.onnx");
        try
        {
            ModelGraph teacher = OnnxReader.Read(file);
            ImagePreprocessing preprocessing = StatedPreprocessing.For(teacher, file).Preprocessing;
            using ImageSource source = ImageSource.Open(images);
            ImageSource drawn = source.Sample(Math.Min(count + HeldOut, source.Count), 0);
            ImageSampleSource work = new(drawn.Take(count), preprocessing), held = new(drawn.Skip(count), preprocessing);
            CompressionResult result = ModelCompressor.Compress(teacher, work, new() { Views = views, ForeignRuntime = new OnnxRuntimeEngine() });
            using var process = Process.GetCurrentProcess();
            (double seconds, long peak) = (process.TotalProcessorTime.TotalSeconds, process.PeakWorkingSet64);
            OnnxWriter.Write(result.Student, written);
            ModelGraph student = OnnxReader.Read(written);
            return string.Create(CultureInfo.InvariantCulture,
                $"| {name} | {teacher.Nodes.Length}, {teacher.ForeignNodes.Count()} | {new FileInfo(file).Length:N0}, {new FileInfo(written).Length:N0} | {seconds:0}, {peak >> 20} | {Interface(file, written)} | {Agreement(student, held)} | {Fidelity(teacher, student, held)} | {Speed(student, written)} |");
        }
        catch (Exception e)
        {
            Environment.ExitCode = 1;
            return $"| {name} | failed: {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")} |";
        }
        finally
        {
            File.Delete(written);
        }
    }

    /// <summary>Whether both files declare the same inputs, weights aside, and the same outputs, with their types and sizes.</summary>
    private static string Interface(string before, string after)
    {
        return Of(before).SequenceEqual(Of(after)) ? "the same" : throw new InvalidModelException($"the file declares {string.Join<ValueInfoProto>(", ", Of(after))}, not {string.Join<ValueInfoProto>(", ", Of(before))}");

        static ValueInfoProto[] Of(string file)
        {
            GraphProto graph = ModelProto.Parser.ParseFrom(File.ReadAllBytes(file)).Graph;
            return [.. graph.Input.Where(i => graph.Initializer.All(t => t.Name != i.Name)), .. graph.Output];
        }
    }

    /// <summary>The largest difference, over all outputs of some images, between the written file in ONNX Runtime and the session that is chosen here; of values above 1 relative to the largest.</summary>
    private static string Agreement(ModelGraph student, ImageSampleSource images)
    {
        if (student.ForeignNodes.Any())
            return "ONNX Runtime is what scores";
        using IScoringSession here = ScoringSessions.Create(student), there = new OnnxRuntimeSession(student, 1);
        double largest = 0;
        foreach (SampleBatch batch in images.Read(1).Take(Compared))
        {
            var image = new Activation(new(1, images.Channels, images.Height, images.Width), batch.Data.ToArray());
            IReadOnlyDictionary<string, Activation> expected = there.Run(image), actual = here.Run(image);
            foreach ((string name, Activation value) in expected)
                largest = Math.Max(largest, MathF.Abs(TensorPrimitives.MaxMagnitude(Difference(value.Span, actual[name].Span))) / Math.Max(1, MathF.Abs(TensorPrimitives.MaxMagnitude<float>(value.Span))));
        }
        return largest.ToString("0.0e0", CultureInfo.InvariantCulture);
    }

    private static ReadOnlySpan<float> Difference(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        var difference = new float[x.Length];
        TensorPrimitives.Subtract(x, y, difference);
        return difference;
    }

    /// <summary>The mean cosine of every output; of a classifier whose outputs are names and maps, on how many images both name the same class.</summary>
    private static string Fidelity(ModelGraph teacher, ModelGraph student, ImageSampleSource images)
    {
        IReadOnlyList<OutputFigures> figures = OutputAgreement.Compare(teacher, student, images, runtime: new OnnxRuntimeEngine());
        if (figures.All(f => f.Cosine is null) && ClassifierPart.Find(teacher) is { } one && ClassifierPart.Find(student) is { } other)
            return $"the same class on {HeldOutCheck.Run(one, other, images, OutputKind.Classes).Agreement} of {images.Count}";
        return string.Join(", ", figures.GroupBy(f => f.Cosine?.ToString("0.000", CultureInfo.InvariantCulture) ?? "no numbers")
            .Select(g => $"{(g.Count() > 3 ? $"{g.Count()} outputs" : string.Join(", ", g.Select(f => f.Name)))} {g.Key}"));
    }

    private static string Speed(ModelGraph student, string written)
    {
        if (student.ForeignNodes.Any())
            return "ONNX Runtime";
        return string.Create(CultureInfo.InvariantCulture, $"here; {RuntimeRatio.Measure(written, seconds: 10).Ratio:0.00}");
    }
}
