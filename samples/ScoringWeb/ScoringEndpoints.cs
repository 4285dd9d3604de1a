using Microsoft.AspNetCore.Mvc;
using MLNet.PQCompression.Images;

namespace ScoringWeb;

/// <summary>The service's addresses.</summary>
public static class ScoringEndpoints
{
    private const int MostClasses = 10;

    /// <summary>Adds them.</summary>
    public static void MapScoring(this WebApplication app)
    {
        app.MapGet("/health", Health).WithSummary("200 when the networks are ready, 503 with the reason before").WithTags("service");
        app.MapGet("/api/model", Model).WithSummary("Sizes of both networks on disk and in memory").WithTags("scoring");
        app.MapPost("/api/score", Score).WithSummary("Scores the picture in the request's body (JPEG, PNG, WebP, GIF or BMP)").WithTags("scoring")
            .Accepts<IFormFile>("image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp", "application/octet-stream")
            .Produces<Answer>().ProducesProblem(400).ProducesProblem(413).ProducesProblem(503).RequireRateLimiting("scoring");
    }

    private static IResult Health(ModelPair models) =>
        Results.Json(new { status = models.Status }, statusCode: models.Ready is null ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK);

    private static IResult Model(ModelPair models)
    {
        if (models.Ready is not var (teacher, student))
            return NotReady(models);
        return Results.Ok(new ModelInfo(teacher.InputSize.Height, teacher.InputSize.Width, Size(teacher), Size(student)));
    }

    private static async Task<IResult> Score(HttpRequest request, ModelPair models, ScoringOptions options, [FromQuery] int? top)
    {
        if (models.Ready is not var (teacher, student))
            return NotReady(models);
        if (top is < 1 or > MostClasses)
            return Results.Problem($"top is 1 to {MostClasses}.", statusCode: StatusCodes.Status400BadRequest);
        using var body = new MemoryStream();
        try
        {
            await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted);
        }
        catch (BadHttpRequestException tooLarge) when (tooLarge.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return Results.Problem($"A picture may have {options.MaxUploadBytes:N0} bytes.", statusCode: StatusCodes.Status413PayloadTooLarge);
        }
        RgbImage image;
        try
        {
            image = ImageDecoder.Decode(body.GetBuffer().AsSpan(0, (int)body.Length), new ImageDecoderOptions { MaxPixels = options.MaxPixels });
        }
        catch (InvalidImageException bad)
        {
            return Results.Problem(bad.Message, statusCode: StatusCodes.Status400BadRequest);
        }
        return Results.Ok(new Answer(teacher.Score(image, top ?? 3), student.Score(image, top ?? 3)));
    }

    private static IResult NotReady(ModelPair models) => Results.Problem($"The networks are not ready: {models.Status}", statusCode: StatusCodes.Status503ServiceUnavailable);

    private static ModelSize Size(ScoredModel model) => new(model.FileBytes, model.WeightBytes);
}

/// <summary>What both networks say of a picture.</summary>
/// <param name="Teacher">The uncompressed network's opinion.</param>
/// <param name="Student">The compressed network's opinion.</param>
public sealed record Answer(Opinion Teacher, Opinion Student);

/// <summary>A network's size.</summary>
/// <param name="FileBytes">Bytes on disk.</param>
/// <param name="WeightBytes">Bytes of weights in memory.</param>
public sealed record ModelSize(long FileBytes, long WeightBytes);

/// <summary>The networks of the service.</summary>
/// <param name="Height">The height in pixels that pictures are brought to.</param>
/// <param name="Width">Their width.</param>
/// <param name="Teacher">The uncompressed network.</param>
/// <param name="Student">The compressed network.</param>
public sealed record ModelInfo(int Height, int Width, ModelSize Teacher, ModelSize Student);
