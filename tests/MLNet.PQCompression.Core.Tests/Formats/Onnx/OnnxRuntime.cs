using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Formats.Onnx;

/// <summary>Runs models in ONNX Runtime by way of node and the npm package onnxruntime-node; skips the test where they are absent.</summary>
internal static class OnnxRuntime
{
    /// <summary>The first output of each model for one input.</summary>
    public static float[][] Run(IReadOnlyList<(ModelGraph Graph, OnnxWriteOptions Options)> models, float[] input, int[] shape)
    {
        string modules = Modules();
        DirectoryInfo folder = Directory.CreateTempSubdirectory("pq-onnxruntime-");
        try
        {
            string inputPath = Path.Combine(folder.FullName, "input");
            File.WriteAllBytes(inputPath, MemoryMarshal.AsBytes(input.AsSpan()).ToArray());
            var jobs = models.Select((_, i) => new
            {
                model = Path.Combine(folder.FullName, $"{i}.onnx"), input = inputPath, shape, output = Path.Combine(folder.FullName, $"{i}.out"),
            }).ToArray();
            for (int i = 0; i < jobs.Length; i++)
                OnnxWriter.Write(models[i].Graph, jobs[i].model, models[i].Options);
            string list = Path.Combine(folder.FullName, "jobs.json");
            File.WriteAllText(list, JsonSerializer.Serialize(jobs));
            using Process node = Start(modules, list);
            Task<string> errors = node.StandardError.ReadToEndAsync();
            Assert.True(node.WaitForExit(TimeSpan.FromMinutes(2)), "node did not end in two minutes");
            Assert.True(node.ExitCode == 0, errors.Result);
            return [.. jobs.Select(j => MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(j.output)).ToArray())];
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Process Start(string modules, string jobs)
    {
        var start = new ProcessStartInfo("node", [Path.Combine(Folder(), "run.cjs"), jobs]) { RedirectStandardError = true };
        start.Environment["NODE_PATH"] = modules;
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new SkipException("node is absent");
        }
    }

    private static string Modules()
    {
        string? modules = Environment.GetEnvironmentVariable("PQ_ONNXRUNTIME_NODE");
        if (string.IsNullOrEmpty(modules))
            modules = Path.Combine(Folder(), "node_modules");
        Skip.IfNot(
            Directory.Exists(Path.Combine(modules, "onnxruntime-node")),
            "onnxruntime-node is absent; run npm install in tests/onnxruntime, or set PQ_ONNXRUNTIME_NODE to a node_modules folder that has it");
        return modules;
    }

    private static string Folder()
    {
        for (DirectoryInfo? d = new(AppContext.BaseDirectory); d is not null; d = d.Parent)
            if (File.Exists(Path.Combine(d.FullName, "MLNet.PQCompression.sln")))
                return Path.Combine(d.FullName, "tests", "onnxruntime");
        throw new SkipException("the repository's tests/onnxruntime is not above the test's own folder");
    }
}
