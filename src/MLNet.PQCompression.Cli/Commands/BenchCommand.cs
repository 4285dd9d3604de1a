using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using MLNet.PQCompression.Cli.Options;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli.Commands;

/// <summary>mlnet-pq bench.</summary>
internal sealed class BenchCommand : ToolCommand
{
    private const int WarmUpCalls = 3, UsualSize = 224;

    private readonly ModelArguments _model = new();
    private readonly Option<int> _threads = ThreadsOption.Create();
    private readonly Option<int> _batch = new Option<int>("--batch") { HelpName = "N", Description = "Images in a call.", DefaultValueFactory = _ => 1 }.AtLeast(1);
    private readonly Option<int> _calls = new Option<int>("--calls") { HelpName = "N", Description = "Calls to time.", DefaultValueFactory = _ => 50 }.AtLeast(1);
    private readonly Option<int?> _size = new Option<int?>("--size") { HelpName = "N", Description = $"Height and width of the images where the model leaves them open; by itself {UsualSize}." }.AtLeast(1);
    private readonly Option<bool> _dense = new("--compare-dense") { Description = "Time the model with its weights decoded too." };
    private readonly Option<bool> _tune = new("--tune") { Description = "Choose each layer's kernel by timing all of them at load instead of by the cost model." };

    public BenchCommand()
        : base("bench", "Times a model on this machine: latency, throughput, load time, memory, and every layer.",
            "mlnet-pq bench model.pq.onnx --threads 1",
            "mlnet-pq bench model.pq.onnx --batch 8 --compare-dense")
    {
        AddSymbols([.. _model.All, _threads, _batch, _calls, _size, _dense, _tune]);
    }

    /// <summary>The measurements as text.</summary>
    public static string Describe(BenchResult result)
    {
        var table = new TextTable("layer", "kernel", "output", ">ms", ">GFLOP/s", ">share");
        foreach (BenchLayer layer in result.Run.Layers)
            table.Add(layer.Name, layer.Kernel, layer.Output, Number(layer.Milliseconds, "0.000"), layer.GigaflopsPerSecond > 0 ? Number(layer.GigaflopsPerSecond, "0.0") : "", Number(layer.Share, "0.0%"));
        var summary = new TextTable("", ">median ms", ">p95 ms", ">images/s", ">read ms", ">load ms", ">first ms", ">weight bytes");
        Add("as is", result.Run);
        if (result.Dense is { } dense)
            Add("dense", dense);
        return string.Create(CultureInfo.InvariantCulture, $"""
            {result.Model}: batch {result.Batch}, {result.Threads} thread(s), {result.VectorBits}-bit vectors, {result.Calls} calls, file of {result.FileBytes:N0} bytes, {result.ResidentBytes:N0} bytes resident

            {table.ToString(ToolConsole.Width)}
            {summary.ToString(ToolConsole.Width)}
            """);

        void Add(string name, BenchRun run) => summary.Add(
            name, Number(run.MedianMilliseconds, "0.00"), Number(run.P95Milliseconds, "0.00"), Number(run.ImagesPerSecond, "0.0"),
            Number(run.ReadMilliseconds, "0.0"), Number(run.LoadMilliseconds, "0.0"), Number(run.FirstCallMilliseconds, "0.0"), Number(run.WeightBytes, "N0"));
    }

    protected override void Execute(ParseResult arguments, ToolConsole console)
    {
        (int threads, int batch, int calls) = (arguments.GetValue(_threads), arguments.GetValue(_batch), arguments.GetValue(_calls));
        long start = Stopwatch.GetTimestamp();
        ModelGraph model = _model.Load(arguments);
        TimeSpan read = Stopwatch.GetElapsedTime(start);
        var options = new InferenceOptions { Threads = threads, MaxBatch = batch, Tune = arguments.GetValue(_tune) };
        TensorShape declared = model.Input.Shape;
        if (arguments.GetValue(_size) is { } size)
            options = options with { InputShape = new(declared[1], size, size) };
        else if (declared[2] < 0 || declared[3] < 0)
        {
            options = options with { InputShape = new(declared[1], declared[2] < 0 ? UsualSize : declared[2], declared[3] < 0 ? UsualSize : declared[3]) };
            console.Note($"note: the model leaves the size of the images open; timed with {options.InputShape}, --size N asks for another");
        }
        BenchRun run = Measure(model, options, calls, read, console.CancellationToken);
        long resident = Environment.WorkingSet;
        BenchRun? dense = arguments.GetValue(_dense) ? Measure(Decoded(model), options, calls, TimeSpan.Zero, console.CancellationToken) : null;
        var result = new BenchResult(
            _model.Path(arguments), new FileInfo(_model.Path(arguments)).Length, batch, threads == 0 ? Environment.ProcessorCount : threads, calls, InferenceSession.VectorBits, run, dense, resident);
        console.WriteResult(() => Describe(result), () => JsonSerializer.Serialize(result, ToolJson.Default.BenchResult));
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static ModelGraph Decoded(ModelGraph model) => model.WithInitializers(
        model.Initializers.Where(i => i.Value is QuantizedTensor).Select(i => KeyValuePair.Create(i.Key, (Initializer)new DenseTensor(i.Value.Shape, i.Value.ToDense()))).ToArray());

    private static BenchRun Measure(ModelGraph model, InferenceOptions options, int calls, TimeSpan read, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        using var session = new InferenceSession(model, options);
        TimeSpan load = read + Stopwatch.GetElapsedTime(start);
        int batch = options.MaxBatch;
        var random = new Random(1);
        var images = new float[batch * session.InputShape.Count];
        foreach (ref float value in images.AsSpan())
            value = random.NextSingle() * 2 - 1;
        Memory<float>[] outputs = [.. session.Outputs.Select(o => (Memory<float>)new float[batch * o.Length])];
        var times = new double[calls];
        double first = 0;
        for (int i = -WarmUpCalls; i < calls; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long from = Stopwatch.GetTimestamp();
            session.Run(images, batch, outputs);
            double milliseconds = Stopwatch.GetElapsedTime(from).TotalMilliseconds;
            if (i == -WarmUpCalls)
                first = milliseconds;
            else if (i >= 0)
                times[i] = milliseconds;
        }
        Array.Sort(times);
        SessionProfile profile = session.Profile(images, batch, Math.Min(calls, 10));
        double total = profile.Total.TotalMilliseconds, median = times[calls / 2];
        return new(
            read.TotalMilliseconds, load.TotalMilliseconds, first, median, times[(int)(0.95 * (calls - 1))], 1000 * batch / median, session.WeightBytes,
            [.. profile.Steps.Select(s => new BenchLayer(s.Name, s.Kernel, s.Output, s.Time.TotalMilliseconds, s.GigaflopsPerSecond, s.Time.TotalMilliseconds / total))]);
    }
}
