using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;

namespace ScoringWeb;

/// <summary>Loads the two networks; compresses the first into the second where that has not been done yet.</summary>
public sealed class ModelPreparation(ModelPair models, ScoringOptions options, ILogger<ModelPreparation> log) : BackgroundService
{
    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Run(() => Prepare(stoppingToken), stoppingToken);

    private void Prepare(CancellationToken stoppingToken)
    {
        try
        {
            if (!File.Exists(options.Student))
                Compress(stoppingToken);
            models.Set(new ScoredModel(options.Teacher), new ScoredModel(options.Student));
            log.LogInformation("Ready: {Student}", options.Student);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            models.Status = "stopped";
        }
        catch (Exception failure)
        {
            // The process stays: /health tells what is wrong, and the page shows it.
            log.LogError(failure, "The networks cannot be prepared");
            models.Fail(failure);
        }
    }

    private void Compress(CancellationToken stoppingToken)
    {
        models.Status = "compressing";
        log.LogInformation("Compressing {Teacher}", options.Teacher);
        ModelGraph teacher = ModelFile.Load(options.Teacher);
        using ImageSource images = ImageSource.Open(options.Unlabelled);
        var progress = new Progress<CompressionProgress>(p => models.Status = p.Layer is null ? p.Stage : $"compressing {p.Layer}");
        CompressionResult result = ModelCompressor.Compress(
            teacher, new ImageSampleSource(images, ImagePreprocessing.For(teacher)), new CompressionOptions { MaxImages = options.Images }, progress, stoppingToken);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(options.Student))!);
        // Written beside its name and then renamed: a stopped service leaves no half of a file.
        string temporary = options.Student + ".new";
        OnnxWriter.Write(result.Student, temporary);
        File.Move(temporary, options.Student, overwrite: true);
    }
}
